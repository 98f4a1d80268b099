"""The launch engine: create, start, wait, delete, exec. The only place that knows the protocol.

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

Descriptors may come with "fd" messages, either way, before the message that is waited for.
Either side's death is the end of the other's stream: init then exits, the host cleans up.
"""

from __future__ import annotations

import os
import sys
from time import monotonic_ns

from minirt import plan as plans
from minirt import state as states
from minirt.context import Context
from minirt.engine.init import Init
from minirt.engine.launch import launch
from minirt.engine.phases import having, perform, placed
from minirt.engine.wire import Listener, connect, pair
from minirt.errors import HostError, InitDied, MinirtError, StateError
from minirt.linux import command
from minirt.linux.clone import ended, wait
from minirt.linux.process import SIGKILL, pidfd_open, pidfd_send_signal, start_time, threads
from minirt.spans import CLIENT, Page
from minirt.spec import Spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import NoReturn

    from minirt.engine.wire import Channel
    from minirt.plan import Plan
    from minirt.spans import Recorder
    from minirt.state import State


class Container:
    """A container in this process's hands: its state, its plan, and what is open for it.

    `terminal` is the pty's master (-1 without one); `exec_at` the CLOCK_MONOTONIC ns at which
    its program was seen to run; `span_id` is the span of its life, the parent of the
    program's own spans.
    """

    __slots__ = (
        "ctx", "exec_at", "page", "plan", "recorder", "span_id", "spec", "state", "terminal",
    )  # fmt: skip

    def __init__(self, state: State, spec: Spec, plan: Plan, recorder: Recorder) -> None:
        self.state = state
        self.spec = spec
        self.plan = plan
        self.recorder = recorder
        self.terminal = -1
        self.exec_at = 0
        self.span_id = os.urandom(8)
        self.page: Page | None = None
        self.ctx = _context(self)

    def phase(self, name: str) -> None:
        """Perform a phase on the host, one span for each mechanism that takes part."""
        for mechanism in having(self.plan, name):
            with self.recorder.span(f"{mechanism.name}.{name}"):
                perform(mechanism, name, self.ctx)

    def kill(self, signal: int = SIGKILL) -> bool:
        """Send a signal to init; False when it has ended."""
        return self.ctx.pidfd >= 0 and pidfd_send_signal(self.ctx.pidfd, signal)


def _context(container: Container) -> Context:
    state, recorder = container.state, container.recorder
    ctx = Context(state.id, state.directory, state.key)
    ctx.created = state.created
    ctx.save = state.save
    ctx.warn = _warn
    host = os.getpid()

    def call(
        argv: Sequence[str], stdin: str = "", env: Sequence[str] = (), program: str = ""
    ) -> str:
        if os.getpid() != host:  # a hook inside: the recorder is the host's
            return command.run(argv, stdin, env, program)
        with recorder.span((program or argv[0]).rpartition("/")[2], kind=CLIENT):
            return command.run(argv, stdin, env, program)

    ctx.call = call
    return ctx


def _warn(text: str) -> None:
    sys.stderr.write(f"minirt: warning: {text}\n")


def create(
    state: State,
    recorder: Recorder,
    allowed: Iterable[str] = plans.ALL,
    *,
    foreground: bool,
    propagate: bool = False,
) -> Container:
    """Make a container from state.spec, up to the point where its program may start.

    `state` is new and locked (state.new). On any failure, also an interrupt, everything that
    was made is removed again and the error is raised.
    """
    spec = Spec(state.spec)
    plan = plans.build(spec, allowed)
    state.mechanisms = tuple(m.name for m in plan)
    state.foreground = foreground
    container = Container(state, spec, plan, recorder)
    if propagate:
        container.ctx.traceparent = recorder.traceparent(container.span_id)
    try:
        _create(container)
    except BaseException as error:
        destroy(container, error)
        raise
    return container


def _create(container: Container) -> None:
    state = container.state
    state.save()
    container.phase("prepare")
    init = _reserve(container)
    ours, theirs = pair()
    directory = os.open(state.directory, os.O_PATH | os.O_CLOEXEC)
    listener = Listener(directory)
    os.close(directory)
    init.channel, init.listener = theirs, listener
    container.ctx.send_fd = lambda fd: ours.send("fd", fd=fd)
    try:
        _clone(container, init, ours)
        theirs.close()
        listener.close()
        container.phase("attach")
        _expect(container, ours, "entered")
        container.phase("meet")
        _expect(container, ours, "sealed")
    except BrokenPipeError:
        raise _died(container) from None
    finally:
        ours.close()
    state.status = states.CREATED
    state.save()


def _reserve(container: Container) -> Init:
    """Prepare the shared page and what else init must have before it is born."""
    recorder, state = container.recorder, container.state
    container.page = Page(f"{state.directory}/spans", create=True)
    for phase in ("enter", "seal", "start"):
        for mechanism in having(container.plan, phase):
            container.page.reserve(f"{mechanism.name}.{phase}", recorder.current())
    container.page.reserve("exec", recorder.current())
    init = Init(container.ctx, container.plan, container.spec.process, container.page)
    init.foreground = state.foreground
    return init


def _clone(container: Container, init: Init, ours: Channel) -> None:
    state, ctx = container.state, container.ctx
    if threads() != 1:
        raise HostError("minirt must have a single thread when it clones")
    namespaces = plans.namespaces(container.plan, container.spec)

    def child() -> NoReturn:
        ours.close()
        state.unlock()
        init.main()

    with container.recorder.span("clone3") as span:
        span.set("minirt.namespace.types", sorted(namespaces))
        ctx.pid, ctx.pidfd = launch(namespaces, ctx.cgroup_fd, child)
        span.set("process.pid", ctx.pid)
    state.pid, state.start_time = ctx.pid, start_time(ctx.pid)
    state.save()


def _expect(container: Container, channel: Channel, kind: str) -> None:
    """Let init go on until it reports `kind`."""
    channel.send("go")
    message = channel.receive()
    while message["kind"] == "fd":
        container.terminal = channel.fds.pop()
        message = channel.receive()
    if message["kind"] != kind:
        raise _died(container)


def _died(container: Container) -> MinirtError:
    status = wait(container.ctx.pidfd)
    how = f"signal {status - 128}" if status > 128 else f"status {status}"
    return placed(InitDied(f"the container's init died ({how})"), "", "", container.ctx)


def start(container: Container) -> None:
    """Let the container's program run; return when the kernel has executed it."""
    state = container.state
    directory = os.open(state.directory, os.O_PATH | os.O_CLOEXEC)
    try:
        channel = connect(directory)
    except (ConnectionRefusedError, FileNotFoundError):
        raise StateError(f"container {state.id} has no init that waits for a start") from None
    finally:
        os.close(directory)
    try:
        channel.send("go")
        channel.receive()  # its end: the descriptor was closed by execve
    finally:
        channel.close()
    if container.page is not None:
        container.exec_at = container.page.executed()
        if not container.exec_at:
            raise _died(container)
    _collect(container)
    state.status = states.RUNNING
    state.save()
    container.phase("started")


def _collect(container: Container) -> None:
    """Take init's spans from the shared page; what it left open failed if it is dead."""
    if container.page is not None:
        died_at = 0 if container.state.init_alive() else monotonic_ns()
        container.page.collect(container.recorder, died_at=died_at)


def destroy(container: Container, cause: BaseException | None = None) -> None:
    """Kill what is left, undo every phase, delete the state. Goes on after an error.

    Errors of the tear-down are notes of `cause`, or the first is raised at the end; the state
    is then kept, so that it can be tried again.
    """
    ctx, state = container.ctx, container.state
    if container.kill(SIGKILL):
        ended(ctx.pidfd)
    _collect(container)
    errors = [*_tear_down(container)]
    _close(container)
    if not errors:
        states.remove(state)
    state.unlock()
    for failure in errors:
        if cause is None:
            raise failure
        cause.add_note(str(failure))


def _tear_down(container: Container) -> Iterator[MinirtError]:
    for mechanism in having(container.plan, "teardown"):
        with container.recorder.span(f"{mechanism.name}.teardown") as span:
            try:
                perform(mechanism, "teardown", container.ctx)
            except MinirtError as error:
                span.fail(error)
                yield error


def _close(container: Container) -> None:
    if container.page is not None:
        container.page.close()
    for fd in (container.ctx.pidfd, container.terminal):
        if fd >= 0:
            os.close(fd)
    container.ctx.pidfd = container.terminal = -1


def load(state: State, recorder: Recorder) -> Container:
    """The container of an existing state directory (loaded and locked by the caller)."""
    spec = Spec(state.spec)
    container = Container(state, spec, plans.build(spec, state.mechanisms), recorder)
    if state.init_alive():
        container.ctx.pid = state.pid
        container.ctx.pidfd = pidfd_open(state.pid)
    return container
