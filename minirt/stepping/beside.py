"""Step 7: the same configuration twice, as a container and in a VM, measured in one run."""

from __future__ import annotations

import os
import sys

from minirt.engine.container import warn
from minirt.engine.signals import raise_on_signals
from minirt.linux.cgroup_events import events
from minirt.spans import Recorder
from minirt.stepping.step import check_trace_file, export_trace, run_container
from minirt.vm import once
from minirt.vm.measure import disk_bytes
from minirt.vm.prepare import prepare
from minirt.vm.table import Figures, table
from minirt.writable_layer import UPPER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.engine.container import Container
    from minirt.spec import Spec
    from minirt.stepping.parser import Values
    from minirt.stepping.step import Step
    from minirt.vm.once import Result

SIGNALLED = 128  # a status above is 128 + the signal that ended the command
# What the VM does not get: these need something of the host's inside.
ONLY_CONTAINER = ("--volume", "--tmpfs", "--publish", "--cpus", "--memory", "--pids", "--io-bps")


def run(step: Step, values: Values) -> int:
    """Run the command both ways; the container's exit status, or if that is 0 the VM's."""
    raise_on_signals()
    check_trace_file(values)
    quiet = values.on("--quiet")
    for option in ONLY_CONTAINER:
        if values.on(option):
            warn(f"{option} is for the container only; the VM goes without")
    # As in Request.network: what an ordinary user's container has is none.
    if values.text("--network", "none" if os.geteuid() else "bridge") != "none":
        warn("the container has a network, and its start includes making it; the VM has none")
        warn("to compare like with like: --network none")
    _say("in a container:", quiet=quiet)
    container, measured = _recorder(), Measured()
    status = run_container(step, values, container, measured.observe)
    _say("in a VM:", quiet=quiet)
    virtual = _recorder()
    if measured.spec is None or status > SIGNALLED:
        return status
    raise_on_signals()  # those of before were the container's
    result = _boot(measured.spec, virtual)
    sys.stdout.buffer.write(result.output)
    sys.stdout.flush()
    for recorder in (container, virtual):
        export_trace(recorder, values)
    if not quiet:
        from minirt import telemetry

        if not values.on("--no-trace"):
            telemetry.compare({"container": container, "VM": virtual}, sys.stderr)
        print(f"\n{table(measured.figures(), result)}", file=sys.stderr)
        print(measured.note(), file=sys.stderr)
    return status or result.status


def _boot(spec: Spec, recorder: Recorder) -> Result:
    # What is downloaded or built the first time is no part of a VM's start.
    prepare(spec.layers)
    with recorder.span("minirt vm"):
        return once.boot(
            spec.layers,
            spec.process.args,
            env=dict(pair.partition("=")[::2] for pair in spec.process.env),
            hostname=spec.hostname,
            cwd=spec.process.cwd,
            recorder=recorder,
        )


def _recorder() -> Recorder:
    return Recorder(os.environ.get("TRACEPARENT", ""), os.environ.get("TRACESTATE", ""))


def _say(text: str, *, quiet: bool) -> None:
    if not quiet:
        print(f"minirt: {text}", file=sys.stderr)


class Measured:
    """What the container took, read when its command had ended and nothing was removed yet."""

    __slots__ = ("image_bytes", "own_bytes", "peak", "spec", "start_ns")

    def __init__(self) -> None:
        self.spec: Spec | None = None
        self.start_ns: int | None = None
        self.peak: int | None = None
        self.image_bytes: int | None = None
        self.own_bytes: int | None = None

    def observe(self, container: Container) -> None:
        self.spec = container.spec
        assert isinstance(container.recorder, Recorder)  # noqa: S101
        self.start_ns = container.exec_at - container.recorder.spans[0].start
        self.image_bytes = disk_bytes(container.spec.layers)
        self.own_bytes = disk_bytes([f"{container.state.directory}/{UPPER}"])
        directories = container.state.created.get("cgroup")
        if isinstance(directories, list):
            self.peak = events(map(str, directories)).get("memory_peak")

    def figures(self) -> Figures:
        return Figures(
            start_ns=self.start_ns,
            memory_bytes=self.peak,
            kernel_bytes=0 if self.peak else None,
            image_bytes=self.image_bytes,
            own_bytes=self.own_bytes,
            release=os.uname().release,
        )

    def note(self) -> str:
        if self.peak is None:
            return "The container's memory was not measured: it had no memory cgroup."
        return (
            "The container's memory is its cgroup's peak, with the kernel's share and minirt's\n"
            "own set-up in it; the VM's is QEMU's (PSS) when the command had ended."
        )
