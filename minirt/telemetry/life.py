"""The whole life of an engine's container as one trace, whether it runs still or is long gone."""

from __future__ import annotations

import os
from glob import glob
from time import time_ns

from minirt import state as states
from minirt import state_root, traceparent
from minirt.errors import ConfigError, MinirtError, StateError
from minirt.spans import CONTAINER
from minirt.telemetry import otlp_file, spool
from minirt.telemetry.axis import PROGRAM
from minirt.telemetry.model import Record, Trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from minirt.state import State

LIFE = "minirt.container.span_id"  # on the span of `create`: the id of the program's
SHOWN = 8  # ids in a message
# Where engines tell the runtime to keep its states.
ROOTS = ("/run/docker/runtime-*/*", "/run/containerd/runc/*")
ID = "podman inspect --format '{{.Id}}' NAME"  # docker has the same words
SWITCH = 'annotate it minirt.dev/trace: "on", or set MINIRT_TRACE=on for the engine'


def lives(prefix: str, *, every: bool = False) -> list[Trace]:
    """What is kept of the container whose id begins so: its newest life, or every one.

    ConfigError when there is none, or more than one such container.
    """
    if not prefix:
        raise ConfigError("is empty", pointer="--container", hint="give an id, or how it begins")
    found = spool.find(prefix)
    if not found:
        raise _unknown(prefix)
    if len(found) > 1:
        shown = [*sorted(found)[:SHOWN], *(["..."] if len(found) > SHOWN else [])]
        raise ConfigError(
            f'"{prefix}" is how {len(found)} ids begin: {", ".join(shown)}',
            pointer="--container",
            hint="give more of it",
        )
    [paths] = found.values()
    return [_life(path) for path in (paths if every else paths[-1:])]


def _life(path: str) -> Trace:
    """One trace of a file, even where callers of their own made several of it."""
    with open(path, encoding="utf-8", errors="replace") as file:
        traces = otlp_file.read(file, path)
    if not traces:
        raise ConfigError("there is no trace in it yet", pointer=path)
    whole = traces[0]
    spans = {span.span_id: span for trace in traces for span in trace.spans}
    whole.spans = [*spans.values()]
    whole.spans += _running(whole.spans)
    return whole


def _running(spans: Sequence[Record]) -> Iterator[Record]:
    """A program whose end nobody has told of: up to now."""
    root = next((span for span in spans if LIFE in span.attributes), None)
    begun = [span for span in spans if span.name == "exec" and not span.error]
    if root is None or not begun or any(span.name == PROGRAM for span in spans):
        return
    life = Record(PROGRAM, str(root.attributes[LIFE]), root.span_id, begun[0].end, time_ns())
    life.side = CONTAINER
    life.attributes["minirt.running"] = True
    yield life


def title(trace: Trace) -> str:
    """The container whose life it is, whatever caller's span its tree begins with."""
    ids = (span.attributes.get("container.id") for span in trace.spans if LIFE in span.attributes)
    return f"container {next(ids, '')}".rstrip()


def runs(trace: Trace) -> bool:
    """Whether its program has not been seen to end."""
    return any("minirt.running" in span.attributes for span in trace.spans)


def join(whole: Trace, others: Iterable[Trace]) -> None:
    """Add those spans of `others` that belong to the same trace: a caller's, the program's own."""
    known = {span.span_id for span in whole.spans}
    for other in others:
        if other.trace_id == whole.trace_id:
            whole.spans += [span for span in other.spans if span.span_id not in known]


def _unknown(prefix: str) -> MinirtError:
    """Why there is nothing: no such container, or one without a trace."""
    for state in _containers():
        if state.id.startswith(prefix):
            return StateError(f"container {state.id} has no trace", hint=_why_none(state))
    who = "" if os.geteuid() == 0 else " of yours"
    return ConfigError(
        f'no trace{who} is kept of a container whose id begins with "{prefix}"',
        pointer="--container",
        hint=f"give the id, not the name: {ID}; to have a trace, {SWITCH}",
    )


def _why_none(state: State) -> str:
    """What to do about a container's having no trace: its state tells whether it was wanted."""
    try:
        state.load()
    except MinirtError:  # it is being made, or removed
        return f"{SWITCH}, at create"
    if not state.trace:
        return f"{SWITCH}, at create"
    context = traceparent.parse(str(state.trace.get("traceparent")))
    if context and not context[2]:
        return "its caller's traceparent ends with -00, not sampled: let the caller sample it (-01)"
    return f"it is not kept any more: of all traces the newest {spool.KEPT} are"


def _containers() -> Iterator[State]:
    """All containers that this user can see, wherever an engine keeps its states."""
    usual = (state_root.of_engines(), state_root.default())
    for root in (*usual, *(root for pattern in ROOTS for root in glob(pattern))):
        try:
            yield from states.every(root)
        except PermissionError:
            continue
