"""Make a container, up to an init that waits; how host and init talk until the program runs.

    host                                   init (init.py)
    prepare*, state.json
    ── clone3 ───────────────────────────► closes the host's end, waits
    attach*
    ── go ───────────────────────────────► enter*
    meet*  ◄──────────────────── entered ──
    ── go ───────────────────────────────► seal*, working directory, look-up of the program
           ◄───────────────────── sealed ──
    state.json
    ── go ───────────────────────────────►   waits in accept
    start: connect, go ──────────────────► start*, execve
           ◄── end of stream: it executes; or an error
    started*

Init stops at "entered" only for a plan that has a `meet`. Where the process that creates also
starts, nobody has to connect: it goes on at the channel that it has.

Descriptors may come with "fd" messages, either way, before the message that is waited for.
Either side's death is the end of the other's stream: init then exits, the host cleans up.
"""

from __future__ import annotations

import os

from minirt import plan as plans
from minirt import state as states
from minirt import state_root
from minirt.engine.birth import clone
from minirt.engine.container import Container
from minirt.engine.destroy import destroy
from minirt.engine.phases import having
from minirt.linux.process import start_time
from minirt.mechanism import LATER_PHASES
from minirt.spec import Spec
from minirt.wire import Listener

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from minirt.state import State
    from minirt.untraced import Tracer


def create(
    state: State,
    recorder: Tracer,
    allowed: Iterable[str] = plans.ALL,
    *,
    starts: bool = False,
    propagate: bool = False,
    preserve: int = 0,
    warn: Callable[[str], None] | None = None,
) -> Container:
    """Make a container from state.spec, up to the point where its program may start.

    `state` is new and locked (state.new). With `starts` this process will start it too, and no
    other can find its init. Its program gets `preserve` of our descriptors, from 3 on; `warn` is
    told of what does not stop it. On any failure, also an interrupt, everything that was made is
    removed again and the error is raised.
    """
    try:
        container = planned(state, recorder, allowed)
    except BaseException:
        states.remove(state)
        state.unlock()
        raise
    container.preserve = preserve
    container.ctx.warn = warn or container.ctx.warn
    if propagate:
        container.ctx.traceparent, container.ctx.tracestate = recorder.carried(container.span_id)
    try:
        _create(container, starts=starts)
    except BaseException as error:
        destroy(container, error)
        raise
    return container


def planned(state: State, recorder: Tracer, allowed: Iterable[str] = plans.ALL) -> Container:
    """The container that state.spec describes; what later calls ask for is noted in its state."""
    spec = Spec(state.spec)
    plan = plans.build(spec, allowed)
    state.mechanisms = tuple(m.name for m in plan)
    state.namespaces = tuple(m.namespace for m in plan if m.namespace)
    state.roles = {phase: [m.name for m in having(plan, phase)] for phase in LATER_PHASES}
    state.startable = bool(spec.process.args)
    return Container(state, plan, recorder, spec)


def _create(container: Container, *, starts: bool) -> None:
    state = container.state
    state.save()
    container.phase("prepare")
    listener = _meeting_place(container, starts=starts)
    namespaces = plans.namespaces(container.plan, container.spec)
    with clone(container, namespaces, listener) as init:
        # Recorded when it could outlive us: until it waits for `start`, init dies when we do.
        state.pid, state.start_time = container.ctx.pid, start_time(container.ctx.pid)
        init.set_up()
        if not state.foreground:
            state.status = states.CREATED
            state.save()
        if starts:
            init.keep_channel()
        else:
            init.leave()


def _meeting_place(container: Container, *, starts: bool) -> Listener | None:
    """The page that init writes its spans to, and the socket where it will wait for `start`.

    Where this process will start it too, neither needs a name that another one could find.
    """
    if starts:
        container.make_page()
        return None
    directory = container.state.directory
    try:
        container.make_page(f"{directory}/spans")
        fd = os.open(directory, os.O_PATH | os.O_CLOEXEC)
        try:
            return Listener(fd)
        finally:
            os.close(fd)
    except OSError as error:
        raise state_root.unwritable(directory, error) from None
