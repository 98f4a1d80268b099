"""A trace to look at in tests, recorded by hand with known times."""

from minirt.spans import CLIENT, CONTAINER, KERNEL, Recorder, Span
from minirt.telemetry.model import Trace, from_recorder

MS = 1_000_000


def recorder(*, program_takes: int = 4 * MS, error: str = "", traceparent: str = "") -> Recorder:
    """Host, container and kernel spans, an event, a link, all kinds of attributes."""
    made = Recorder(traceparent, "vendor=1")
    zero = made.anchor[0]

    def span(name: str, start: int, end: int, parent: bytes, side: str = "host") -> Span:
        added = made.add(name, zero + start, zero + end, parent=parent)
        added.side = side
        return added

    root = span("minirt run", 0, 6 * MS + program_takes, made.parent)
    root.set("container.id", "web1")
    root.set("minirt.share", 0.5)
    root.set("minirt.rootless", value=True)
    root.links.append((b"\x01" * 16, b"\x02" * 8))
    span("clone3", MS, 2 * MS, root.span_id).set("minirt.namespace.types", ["mnt", "uts"])
    veth = span("veth.attach", 2 * MS, 4 * MS, root.span_id)
    span("nft", 3 * MS, 4 * MS, veth.span_id).kind = CLIENT
    overlay = span("overlay.enter", 4 * MS, 5 * MS, root.span_id, CONTAINER)
    overlay.error = overlay.message = error
    mount = span("mount(2)", 4 * MS + 1000, 4 * MS + 61_000, overlay.span_id, KERNEL)
    mount.set("minirt.syscall.ret", -22)
    program = span("container", 5 * MS, 5 * MS + program_takes, root.span_id, CONTAINER)
    program.set("process.exit.code", 0)
    program.event("started", zero + 5 * MS)
    return made


def trace(*, program_takes: int = 4 * MS, error: str = "", traceparent: str = "") -> Trace:
    made = recorder(program_takes=program_takes, error=error, traceparent=traceparent)
    return from_recorder(made)
