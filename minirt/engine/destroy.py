"""Undo what was made for a container, in this process or another."""

from __future__ import annotations

from minirt import state as states
from minirt.engine.phases import having, perform
from minirt.engine.signals import FORWARDED
from minirt.errors import MinirtError
from minirt.linux.ending import released
from minirt.linux.process import SIGKILL, Held

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from minirt.engine.container import Container
    from minirt.state import State


def destroy(container: Container, cause: BaseException | None = None) -> None:
    """Kill what is left, undo every phase, delete the state. Goes on after an error.

    Errors of the tear-down are notes of `cause`, or the first is raised at the end; the state
    is then kept, so that it can be tried again. Signals wait until it is done.
    """
    with Held(FORWARDED):
        _destroy(container, cause)


def _destroy(container: Container, cause: BaseException | None) -> None:
    ctx, state = container.ctx, container.state
    errors: list[MinirtError] = []
    if container.kill(SIGKILL):
        thaw(state)
        try:
            released(ctx.pidfd, ctx.pid)
        except MinirtError as error:
            errors.append(error)
    container.collect_spans(dead=True)
    errors = errors or [*_tear_down(container)]
    container.close()
    if not errors:
        states.remove(state)
    state.unlock()
    for failure in errors:
        if cause is None:
            raise failure
        cause.add_note(str(failure))


def thaw(state: State) -> None:
    """Let a paused container go on, if only into its death."""
    from minirt.linux import freezer

    still = freezer.place(state.cgroups())
    if still and freezer.frozen(still):
        freezer.thaw(still)


def _tear_down(container: Container) -> Iterator[MinirtError]:
    for mechanism in having(container.plan, "teardown"):
        with container.recorder.span(f"{mechanism.name}.teardown") as span:
            try:
                perform(mechanism, "teardown", container.ctx)
            except MinirtError as error:
                span.fail(error)
                yield error
