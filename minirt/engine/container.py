"""A container in this process's hands, and what the engine gives its mechanisms."""

from __future__ import annotations

import os
import sys

from minirt.context import Context
from minirt.engine.phases import having, perform
from minirt.linux import command
from minirt.linux.process import SIGKILL, pidfd_send_signal
from minirt.spans import CLIENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from minirt.plan import Plan
    from minirt.spans import Page, Recorder
    from minirt.spec import Spec
    from minirt.state import State
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
        "channel", "ctx", "detached", "exec_at", "page", "plan", "preserve", "recorder", "span_id",
        "spec", "state", "terminal",
    )  # fmt: skip

    def __init__(self, state: State, spec: Spec, plan: Plan, recorder: Recorder) -> None:
        self.state = state
        self.spec = spec
        self.plan = plan
        self.recorder = recorder
        self.terminal = -1
        self.channel: Channel | None = None
        self.exec_at = 0
        self.preserve = 0
        self.detached = False
        self.span_id = os.urandom(8)
        self.page: Page | None = None
        self.ctx = context(self)

    def phase(self, name: str) -> None:
        """Perform a phase on the host, one span for each mechanism that takes part."""
        for mechanism in having(self.plan, name):
            with self.recorder.span(f"{mechanism.name}.{name}"):
                perform(mechanism, name, self.ctx)

    def kill(self, signal: int = SIGKILL) -> bool:
        """Send a signal to init; False when it has ended."""
        return self.ctx.pidfd >= 0 and pidfd_send_signal(self.ctx.pidfd, signal)

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


def context(container: Container) -> Context:
    """What the mechanisms get of this container, its programs run in spans of their own."""
    state, recorder = container.state, container.recorder
    ctx = Context(state.id, state.directory, state.key)
    ctx.created = state.created
    ctx.bundle = state.bundle
    ctx.annotations = container.spec.annotations
    ctx.save = state.save
    ctx.warn = warn
    host = os.getpid()

    def call(
        argv: Sequence[str],
        stdin: str = "",
        env: Sequence[str] = (),
        program: str = "",
        timeout: int = 0,
    ) -> str:
        given = env or (f"PATH={command.PATH}",)
        if os.getpid() != host:  # a hook inside: the recorder is the host's
            traced = (*given, f"TRACEPARENT={recorder.traceparent()}")
            return command.run(argv, stdin, traced, program, timeout)
        with recorder.span((program or argv[0]).rpartition("/")[2], kind=CLIENT):
            traced = (*given, f"TRACEPARENT={recorder.traceparent()}")
            return command.run(argv, stdin, traced, program, timeout)

    ctx.call = call
    return ctx


def warn(text: str) -> None:
    """Tell the person at the terminal; nothing stops."""
    sys.stderr.write(f"minirt: warning: {text}\n")
