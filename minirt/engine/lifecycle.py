"""The launch engine: create, start, destroy.

    host                                   init (init.py)
    prepare*, state.json
    ── clone3 ───────────────────────────► closes the host's end, waits
    attach*
    ── go ───────────────────────────────► enter*
    meet*  ◄──────────────────── entered ──
    ── go ───────────────────────────────► seal*, working directory, look-up of the program
           ◄───────────────────── sealed ──  waits in accept
    start: connect, go ──────────────────► start*, execve
           ◄── end of stream: it executes; or an error
    started*

Init stops at "entered" only for a plan that has a `meet`. In the foreground, where the process that
creates also starts, nobody has to connect: it goes on at the channel that it has.

Descriptors may come with "fd" messages, either way, before the message that is waited for.
Either side's death is the end of the other's stream: init then exits, the host cleans up.
"""

from __future__ import annotations

import os
from time import monotonic_ns

from minirt import plan as plans
from minirt import state as states
from minirt import state_root
from minirt.engine.attend import FORWARDED
from minirt.engine.container import Container
from minirt.engine.dialogue import Dialogue
from minirt.engine.phases import having, perform
from minirt.errors import ConfigError, MinirtError, StateError
from minirt.linux.clone import released
from minirt.linux.process import SIGKILL, Held, pidfd_open, start_time
from minirt.spans import Page
from minirt.spec import Spec
from minirt.wire import Listener, connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from minirt.spans import Recorder
    from minirt.state import State
    from minirt.wire import Channel


def create(
    state: State,
    recorder: Recorder,
    allowed: Iterable[str] = plans.ALL,
    *,
    foreground: bool,
    propagate: bool = False,
    preserve: int = 0,
    warn: Callable[[str], None] | None = None,
) -> Container:
    """Make a container from state.spec, up to the point where its program may start.

    `state` is new and locked (state.new). Its program gets `preserve` of our descriptors, from 3
    on; `warn` is told of what does not stop it. On any failure, also an interrupt, everything
    that was made is removed again and the error is raised.
    """
    try:
        container = _planned(state, recorder, allowed)
    except BaseException:
        states.remove(state)
        state.unlock()
        raise
    state.foreground = foreground
    container.preserve = preserve
    container.ctx.warn = warn or container.ctx.warn
    if propagate:
        container.ctx.traceparent = recorder.traceparent(container.span_id)
    try:
        _create(container)
    except BaseException as error:
        destroy(container, error)
        raise
    return container


def _planned(state: State, recorder: Recorder, allowed: Iterable[str]) -> Container:
    spec = Spec(state.spec)
    plan = plans.build(spec, allowed)
    state.mechanisms = tuple(m.name for m in plan)
    return Container(state, spec, plan, recorder)


def _create(container: Container) -> None:
    state = container.state
    state.save()
    container.phase("prepare")
    listener = _meeting_place(container)
    namespaces = plans.namespaces(container.plan, container.spec)
    with Dialogue(container) as init:
        init.clone(namespaces, listener)
        # Recorded when it could outlive us: until it waits for `start`, init dies when we do.
        state.pid, state.start_time = container.ctx.pid, start_time(container.ctx.pid)
        init.set_up()
        if state.foreground:
            init.keep_channel()
            return
    state.status = states.CREATED
    state.save()


def _meeting_place(container: Container) -> Listener | None:
    """The page that init writes its spans to, and the socket where it will wait for `start`.

    Where this process will start it too, neither needs a name that another one could find.
    """
    if container.state.foreground:
        container.page = Page()
        return None
    directory = container.state.directory
    try:
        container.page = Page(f"{directory}/spans", create=True)
        fd = os.open(directory, os.O_PATH | os.O_CLOEXEC)
        try:
            return Listener(fd)
        finally:
            os.close(fd)
    except OSError as error:
        raise state_root.unwritable(directory, error) from None


def start(container: Container) -> None:
    """Let the container's program run; return when the kernel has executed it."""
    state = container.state
    if not container.spec.process.args:
        what = "is missing: there is nothing to start"
        raise ConfigError(what, pointer="/process", hint="set process.args in config.json")
    with Dialogue(container, container.channel or _connect(state)) as init:
        init.execute()
    collect_spans(container, dead=False)
    state.status = states.RUNNING
    state.save()
    container.phase("started")


def _connect(state: State) -> Channel:
    directory = os.open(state.directory, os.O_PATH | os.O_CLOEXEC)
    try:
        return connect(directory)
    except (ConnectionRefusedError, FileNotFoundError):
        raise StateError(f"container {state.id} has no init that waits for a start") from None
    finally:
        os.close(directory)


def collect_spans(container: Container, *, dead: bool) -> None:
    """Take init's spans from the shared page; what it left open failed if it is dead."""
    if container.page is not None:
        container.page.collect(container.recorder, died_at=monotonic_ns() if dead else 0)


def destroy(container: Container, cause: BaseException | None = None) -> None:
    """Kill what is left, undo every phase, delete the state. Goes on after an error.

    Errors of the tear-down are notes of `cause`, or the first is raised at the end; the state
    is then kept, so that it can be tried again. Signals wait until it is done.
    """
    with Held(FORWARDED):
        _destroy(container, cause)


def _destroy(container: Container, cause: BaseException | None) -> None:
    ctx, state = container.ctx, container.state
    if container.kill(SIGKILL):
        thaw(state)
        released(ctx.pidfd, ctx.pid)
    collect_spans(container, dead=True)
    errors = [*_tear_down(container)]
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


def load(state: State, recorder: Recorder, warn: Callable[[str], None] | None = None) -> Container:
    """The container of an existing state directory (loaded and locked by the caller)."""
    spec = Spec(state.spec)
    container = Container(state, spec, plans.build(spec, state.mechanisms), recorder)
    container.ctx.warn = warn or container.ctx.warn
    if state.init_alive():
        container.ctx.pid = state.pid
        container.ctx.pidfd = pidfd_open(state.pid)
    return container
