"""A container from beginning to end in the foreground: create, start, attend, delete."""

from __future__ import annotations

from time import monotonic_ns

from minirt import plan as plans
from minirt.engine.attend import attend
from minirt.engine.create import create
from minirt.engine.destroy import destroy
from minirt.engine.start import start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from minirt.engine.container import Container
    from minirt.spans import Recorder
    from minirt.state import State


def run(
    state: State,
    recorder: Recorder,
    allowed: Iterable[str] = plans.ALL,
    *,
    propagate: bool = False,
    observe: Callable[[Container], None] | None = None,
) -> int:
    """Run state.spec to its end; return the command's exit status, or 128 + its signal.

    With `propagate`, the program inside gets the trace context as TRACEPARENT. `observe` sees
    the container when the command has ended and nothing is removed yet. Nothing is left behind,
    whatever happens.
    """
    state.foreground = True
    with recorder.span("minirt run") as root:
        root.set("container.id", state.id)
        container = create(state, recorder, allowed, starts=True, propagate=propagate)
        error: BaseException | None = None
        try:
            status = attend(container, start)
            _record_life(container, recorder, status)
            root.set("process.exit.code", status)
            if observe is not None:
                observe(container)
            return status
        except BaseException as raised:
            error = raised
            raise
        finally:
            destroy(container, error)


def _record_life(container: Container, recorder: Recorder, status: int) -> None:
    """The span from execve to exit: the parent of what the program itself traced."""
    span = recorder.add("container", container.exec_at, monotonic_ns())
    span.span_id = container.span_id
    span.side = "container"
    span.set("process.pid", container.ctx.pid)
    span.set("process.exit.code", status)
    if "pid" in container.spec.namespaces:
        span.set("process.vpid", 1)
