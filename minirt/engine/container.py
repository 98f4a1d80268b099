"""A container in this process's hands, and what the engine gives its mechanisms."""

from __future__ import annotations

import os
import sys
from time import monotonic_ns

from minirt.context import Context
from minirt.engine.phases import having, perform
from minirt.errors import KernelError
from minirt.linux import command
from minirt.linux.process import SIGKILL, pidfd_open, pidfd_send_signal
from minirt.untraced import Untraced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from minirt.plan import Plan
    from minirt.spec import Spec
    from minirt.state import State
    from minirt.untraced import Slots, Tracer
    from minirt.wire import Channel


class Container:
    """A container in this process's hands: its state, its plan, and what is open for it.

    `terminal` is the pty's master (-1 without one); `exec_at` the CLOCK_MONOTONIC ns at which
    its program was seen to run; `span_id` is the span of its life, the parent of the
    program's own spans; `channel` leads to its init where the same process creates and starts;
    `preserve` is how many descriptors from 3 on the program gets; `detached` says that it may
    outlive this process although the container is in the foreground (exec).
    """

    __slots__ = (
        "_spec", "channel", "ctx", "detached", "exec_at", "page", "plan", "preserve", "recorder",
        "span_id", "state", "terminal",
    )  # fmt: skip

    def __init__(
        self, state: State, plan: Plan, recorder: Tracer, spec: Spec | None = None
    ) -> None:
        self.state = state
        self.plan = plan
        self._spec = spec
        self.recorder = recorder
        self.terminal = -1
        self.channel: Channel | None = None
        self.exec_at = 0
        self.preserve = 0
        self.detached = False
        self.span_id = bytes.fromhex(str(state.trace.get("span", ""))) or os.urandom(8)
        self.page: Slots | None = None
        self.ctx = context(self)
        if spec is not None:
            self.ctx.annotations = spec.annotations

    @property
    def spec(self) -> Spec:
        """The configuration, read from the state where this process has not read it yet."""
        if self._spec is None:
            from minirt.spec import Spec

            self._spec = Spec(self.state.spec, whole=False)
        return self._spec

    def phase(self, name: str) -> None:
        """Perform a phase on the host, one span for each mechanism that takes part."""
        for mechanism in having(self.plan, name):
            with self.recorder.span(f"{mechanism.name}.{name}"):
                perform(mechanism, name, self.ctx)

    def kill(self, signal: int = SIGKILL) -> bool:
        """Send a signal to init; False when it has ended."""
        return self.ctx.pidfd >= 0 and pidfd_send_signal(self.ctx.pidfd, signal)

    def make_page(self, path: str = "") -> None:
        """The page that init will write its spans to; a file where another process may read it."""
        if not self.recorder.kept:
            self.page = Untraced()
            return
        from minirt.spans import Page

        self.page = Page(path, create=bool(path))

    def collect_spans(self, *, dead: bool) -> None:
        """Take init's spans from the shared page; what it left open failed if it is dead."""
        if self.page is not None and not isinstance(self.recorder, Untraced):
            self.page.collect(self.recorder, died_at=monotonic_ns() if dead else 0)

    def close(self) -> None:
        """Let go of what this process holds of the container."""
        if self.page is not None:
            self.page.close()
        if self.channel is not None:
            self.channel.close()
        for fd in (self.ctx.pidfd, self.terminal):
            if fd >= 0:
                os.close(fd)
        self.ctx.pidfd = self.terminal = -1


def load(
    state: State,
    recorder: Tracer,
    phases: Iterable[str] = (),
    warn: Callable[[str], None] | None = None,
) -> Container:
    """The container of an existing state directory (loaded and locked by the caller).

    Its plan has what takes part in `phases`, which are those that can be performed then.
    """
    names = [name for phase in phases for name in state.roles.get(phase, state.mechanisms)]
    container = Container(state, (), recorder)
    if names:
        from minirt import plan as plans

        container.plan = plans.build(container.spec, names)
        container.ctx.annotations = container.spec.annotations
    container.ctx.warn = warn or container.ctx.warn
    pidfd = _pinned(state)
    if pidfd >= 0:
        container.ctx.pid, container.ctx.pidfd = state.pid, pidfd
    return container


def _pinned(state: State) -> int:
    """A pidfd of the container's init; -1 when it has ended."""
    if not state.init_alive():
        return -1
    try:
        pidfd = pidfd_open(state.pid)
    except KernelError:  # just now
        return -1
    if state.init_alive():  # and its pid is not another's since
        return pidfd
    os.close(pidfd)
    return -1


def context(container: Container) -> Context:
    """What the mechanisms get of this container, its programs run in spans of their own."""
    state, recorder = container.state, container.recorder
    ctx = Context(state.id, state.directory, state.key)
    ctx.created = state.created
    ctx.bundle = state.bundle
    ctx.save = state.save
    ctx.warn = warn
    host = os.getpid()

    def call(
        argv: Sequence[str],
        stdin: str = "",
        env: Sequence[str] = (),
        program: str = "",
        timeout: int = 0,
        first: Callable[[], None] | None = None,
    ) -> str:
        given = env or (f"PATH={command.PATH}",)
        if os.getpid() != host:  # a hook inside: the recorder is the host's
            given = (*given, *carried(recorder, given))
            return command.run(argv, stdin, given, program, timeout, first)
        with recorder.span((program or argv[0]).rpartition("/")[2], kind="client"):
            given = (*given, *carried(recorder, given))
            return command.run(argv, stdin, given, program, timeout, first)

    ctx.call = call
    return ctx


def carried(recorder: Tracer, given: Sequence[str]) -> tuple[str, ...]:
    """The trace context as variables for a program; nothing for one that is `given` its own."""
    if any(pair.startswith("TRACEPARENT=") for pair in given):
        return ()
    context = zip(("TRACEPARENT", "TRACESTATE"), recorder.carried(), strict=True)
    return tuple(f"{name}={text}" for name, text in context if text)


def warn(text: str) -> None:
    """Tell the person at the terminal; nothing stops."""
    sys.stderr.write(f"minirt: warning: {text}\n")
