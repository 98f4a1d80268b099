"""One trace of a container's whole life, over calls that know of each other by its state alone.

`create` begins it: below the caller's span (TRACEPARENT, else the annotation), else as a new one.
What the later calls must know lies in state.json, as engines give them next to no environment.
Imported only where a trace is wanted; nothing here may delay a verb, or make it fail.
"""

from __future__ import annotations

import os
from time import monotonic_ns

from minirt import state as states
from minirt import telemetry, traceparent
from minirt.errors import plain
from minirt.oci.trace_wishes import Wishes
from minirt.spans import CONTAINER, Recorder
from minirt.telemetry import model, spool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.codec import Json
    from minirt.engine.container import Container
    from minirt.oci.call import Call
    from minirt.state import State

# The calls that change something; who only looks is no part of a container's life.
VERBS = ("start", "run", "exec", "kill", "pause", "resume", "update", "delete")
REPEATED = ("exec", "kill", "pause", "resume", "update")
STEPPED = 10**9  # ns by which the wall clock may have moved and still be taken for the same


class Tracing:
    """The trace of one call: its root span, and the `context` that lies in the state.

    traceparent, tracestate  of the span of `create`
    span        the id of the span of the program's life, the parent of the program's own
    anchor      one moment on both clocks, for one time line over all calls
    exec_at     when the program was executed (CLOCK_MONOTONIC ns); 0 before, and when it is told
    spool, file where the spans go; `file` may be ""
    collector   the OTEL_* that name one
    inside      whether the program gets the context
    """

    __slots__ = ("call", "context", "recorder", "root", "verb", "warn")

    def __init__(self, call: Call, verb: str, context: dict[str, Json], recorder: Recorder) -> None:
        self.call = call
        self.recorder = call.recorder = recorder
        self.warn = call.log.warn
        if call.log.debugging:
            from minirt.oci.telling import tell

            tell(recorder, call.log)
        self.verb = verb
        self.context = context
        self.root = recorder.span(f"minirt {verb}")
        self.root.start = call.began
        self.root.set("container.id", call.id)

    def creates(self, state: State) -> bool:
        """Give the context to the calls after this; whether the program is to have it, too."""
        state.trace = self.context
        return self.context.get("inside") is True

    def spool(self) -> str:
        """The path of the file that is kept; "" where none can be."""
        try:
            return spool.new(self.call.id, self.root.span_id.hex())
        except Exception as error:  # noqa: BLE001  (see the top)
            self.warn(f"the trace will not be kept: {plain(error)}")
            return ""

    def executes(self, container: Container) -> None:
        """Give the context to a further program."""
        if self.context.get("inside") is True:
            container.ctx.traceparent, container.ctx.tracestate = self.recorder.carried()

    def ended(self, container: Container, status: int | None = None) -> None:
        """The program was seen to have ended, with `status` if that is known: tell of its life."""
        container.collect_spans(dead=True)
        state = container.state
        begin = container.exec_at or _number(self.context.get("exec_at"))
        if not begin or state.boot_id != states.boot_id():
            return
        parent = traceparent.parse(str(self.context["traceparent"]))
        span = self.recorder.add(
            "container", begin, self._end(container), parent=parent[1] if parent else b""
        )
        span.span_id, span.side = container.span_id, CONTAINER
        if state.pid:
            span.set("process.pid", state.pid)
        if status is not None:
            span.set("process.exit.code", status)

    def _end(self, container: Container) -> int:
        """When the program ended: before its tear-down began; dead already, before this call."""
        if self.verb != "delete":
            return monotonic_ns()
        below = self.recorder.spans[1:2] if container.ctx.pid else []
        return below[0].start if below else self.root.start

    def told(self, state: State) -> None:
        """Nobody has to tell of the program's life again, although the container stays."""
        if state.lock(wait=True):
            state.load()
            state.trace["exec_at"] = 0
            state.save()
            state.unlock()

    def end(self, status: int, error: BaseException | None = None) -> None:
        """The call is done: write its spans, and send them."""
        recorder, root = self.recorder, self.root
        if error is not None:
            root.fail(error)
        root.set("process.exit.code", status)
        recorder.finish(root)
        for span in recorder.spans if self.verb == "start" else ():
            if span.side == CONTAINER:  # of slots that `create` reserved, below its own span
                span.parent = root.span_id
        if not recorder.sampled:
            return
        try:
            self._export()
        except Exception as problem:  # noqa: BLE001  (see the top)
            self.warn(f"the trace was not exported: {plain(problem)}")

    def _export(self) -> None:
        kept, file = str(self.context.get("spool", "")), str(self.context.get("file", ""))
        if kept and not spool.has_room(kept, last=self.verb not in REPEATED):
            kept = ""
        collector = self.context.get("collector")
        remembered = dict(collector) if isinstance(collector, dict) else {}
        telemetry.export(
            model.from_recorder(self.recorder),
            [path for path in (kept, file) if path],
            {**remembered, **os.environ},
        )


def begin(call: Call, annotations: Json) -> Tracing | None:
    """The trace of a `create` or `run`; None where it is switched off after all."""
    wishes, recorder = Wishes(annotations, call.log.warn), _recorder()
    if set(call.id) - states.ID_CHARACTERS or not wishes.trace():
        return None  # what can be no container's id shall be no file's name
    wishes.join(recorder)
    tracing = Tracing(call, call.options.arguments[0], {}, recorder)
    life = os.urandom(8).hex()
    tracing.context |= {
        "traceparent": recorder.traceparent(), "tracestate": recorder.tracestate, "span": life,
        "anchor": list(recorder.anchor), "exec_at": 0, "file": wishes.file(call.id),
        "collector": wishes.collector(), "inside": wishes.inside(),
        "spool": tracing.spool() if recorder.sampled else "",
    }  # fmt: skip
    tracing.root.set("minirt.container.span_id", life)
    return tracing


def follow(call: Call, state: State) -> Tracing | None:
    """The trace of a later call: below its caller's span, with a link; else below `create`'s."""
    verb, context, recorder = call.options.arguments[0], state.trace, _recorder()
    created = traceparent.parse(str(context.get("traceparent")))
    if verb not in VERBS or created is None:
        return None
    own = Wishes({}, call.log.warn).joined(recorder)
    if not own:
        recorder.trace_id, recorder.parent, recorder.sampled = created
        recorder.tracestate = str(context.get("tracestate", ""))
    anchor = context.get("anchor")
    if isinstance(anchor, list) and abs(_behind(recorder.anchor, anchor)) < STEPPED:
        recorder.anchor = (_number(anchor[0]), _number(anchor[1]))
    tracing = Tracing(call, verb, context, recorder)
    if own or verb == "exec":
        tracing.root.links.append(created[:2])
    return tracing


def _recorder() -> Recorder:
    """One that begins below the caller's span, where the environment names it."""
    return Recorder(os.environ.get("TRACEPARENT", ""), os.environ.get("TRACESTATE", ""))


def _behind(ours: tuple[int, int], anchor: list[Json]) -> int:
    """By how many ns the wall clock has moved against the other since `anchor` was taken."""
    return (ours[1] - ours[0]) - (_number(anchor[1]) - _number(anchor[0]))


def _number(value: Json) -> int:
    return value if isinstance(value, int) else 0
