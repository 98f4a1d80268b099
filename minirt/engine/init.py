"""The container's init before it becomes the command: the child's half of the protocol.

It runs Python inside the container's view of the world, so it imports nothing, opens nothing
of the host's after pivot_root, and leaves only by execve or os._exit.
"""

from __future__ import annotations

import errno
import os

from minirt.engine.launch import seal_imports
from minirt.engine.phases import having, perform, placed
from minirt.errors import CommandError, KernelError, MinirtError
from minirt.linux.files import openat2
from minirt.linux.process import (
    PR_SET_DUMPABLE,
    PR_SET_PDEATHSIG,
    SIGKILL,
    close_range,
    default_signals,
    ignored_realtime,
    join_session_keyring,
    prctl,
)
from minirt.linux.program import explain, look_up, refuse_magic_links

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from minirt.context import Context
    from minirt.plan import Plan
    from minirt.spec.process import Process
    from minirt.untraced import Slots
    from minirt.wire import Channel, Listener


class HostGone(Exception):  # noqa: N818  (a fact, not an "error" by name)
    """The runtime died, so there is nobody to be a container for."""


class Init:
    """What the child needs of its life before the clone."""

    __slots__ = (
        "anchor", "channel", "ctx", "foreground", "ignored", "keeps_keyring", "listener", "page",
        "plan", "preserve", "process", "strangers",
    )  # fmt: skip

    def __init__(self, ctx: Context, plan: Plan, process: Process, page: Slots) -> None:
        self.ctx = ctx
        self.plan = plan
        self.process = process
        self.page = page
        self.foreground = False
        self.preserve = 0
        self.keeps_keyring = False
        self.anchor: tuple[int, int] | None = None
        # What our caller left open: whoever waits for the end of a pipe does not wait for us.
        self.strangers: list[int] = []
        self.ignored = ignored_realtime()
        self.channel: Channel
        self.listener: Listener | None = None

    def main(self) -> NoReturn:
        """Live from the clone to execve; a failure is sent to the host, then exit."""
        try:
            self.begin()
            self.await_go()
            # Nobody inside may trace this process or write through its /proc directory
            # (CVE-2016-9962). Not before: the id maps are written through there.
            prctl(PR_SET_DUMPABLE, 0, what="cannot make init undumpable")
            self.phase("enter")
            self.meet()
            self.phase("seal")
            program = self.settle()
            self.channel.send("sealed")
            if self.listener is not None:
                # Not before it is recorded: nobody could find what waits here for a dead runtime.
                self.await_go()
                self.channel = self.listener.accept()
            self.await_go()
            self.shed(program)
            self.phase("start")
            self.execute(program)
        except MinirtError as error:
            self.channel.send_error(placed(error, "exec", "start", self.ctx))
        except (HostGone, BrokenPipeError):
            pass
        except Exception as error:  # noqa: BLE001  (a bug must not be a silent death)
            bug = MinirtError(f"minirt has a fault: {type(error).__name__}: {error}")
            self.channel.send_error(placed(bug, "init", "", self.ctx))
        finally:
            os._exit(125)

    def begin(self) -> None:
        seal_imports()
        if self.anchor is not None:
            self.page.align(self.anchor)
        # Not the caller's session: neither its terminal nor, if not asked for, its keys.
        os.setsid()
        if not self.keeps_keyring:
            join_session_keyring()
        default_signals(self.ignored)
        for descriptor in self.strangers:
            os.close(descriptor)
        self.ctx.root = os.open("/", os.O_PATH | os.O_CLOEXEC)
        self.ctx.send_fd = lambda fd: self.channel.send("fd", fd=fd)
        # Of a log file or terminal of the host's this process knows nothing.
        self.ctx.warn = lambda text: self.channel.send("warning", {"text": text})
        self.ctx.take_fd = lambda: self.channel.fds.pop(0)

    def await_go(self) -> None:
        """Wait until the host says go; it may pass descriptors before that."""
        kind = "fd"
        while kind == "fd":
            kind = str(self.channel.receive()["kind"])
        if kind != "go":
            raise HostGone

    def meet(self) -> None:
        """Let the host have its turn, where a mechanism has something to do in it."""
        if having(self.plan, "meet"):
            self.channel.send("entered")
            self.await_go()

    def phase(self, phase: str) -> None:
        for mechanism in having(self.plan, phase):
            name = f"{mechanism.name}.{phase}"
            self.page.begin(name)
            try:
                perform(mechanism, phase, self.ctx)
            except MinirtError as error:
                self.page.end(name, getattr(error, "errno", 0) or -1)
                raise
            self.page.end(name)

    def settle(self) -> str:
        """Go to the working directory; find the program, so that `create` can refuse it."""
        if self.foreground:
            # Had the runtime died before this, saying "sealed" would fail; if it dies later,
            # the signal comes. A change of ids would have cleared it.
            prctl(PR_SET_PDEATHSIG, SIGKILL, what="cannot ask to die with the runtime")
        self.change_directory()
        return self.find_program() if self.process.args else ""

    def find_program(self) -> str:
        """The file to execute; in a trace, that there is none is how "exec" ended."""
        try:
            return look_up(self.process.args[0], self.environment().get("PATH", ""))
        except CommandError as error:
            self.page.begin("exec")
            self.page.end("exec", errno.EACCES if error.exit_code == 126 else errno.ENOENT)
            raise

    def change_directory(self) -> None:
        """Go to the working directory, and see that it is inside (CVE-2024-21626)."""
        try:
            here = openat2(self.ctx.root, self.process.cwd, os.O_PATH | os.O_DIRECTORY)
            os.fchdir(here)
            os.close(here)
        except (KernelError, OSError) as error:
            # The mechanism "working_directory" may have gone there with the rights of root.
            if error.errno != errno.EACCES or where() in ("", "/"):
                raise _no_directory(self.process.cwd, error.errno or 0) from None
        if not where():
            raise CommandError(
                "current working directory is outside of container mount namespace root -- "
                "possible container breakout detected",
                exit_code=126,
            )

    def environment(self) -> dict[str, str]:
        pairs = (pair.partition("=") for pair in self.process.env)
        env = {**self.ctx.environment, **{name: value for name, _, value in pairs}}
        if self.ctx.traceparent and "TRACEPARENT" not in env:
            env["TRACEPARENT"] = self.ctx.traceparent
            if self.ctx.tracestate:
                env.setdefault("TRACESTATE", self.ctx.tracestate)
        return env

    def shed(self, program: str) -> None:
        """Put off what the command must not get; look what that is, as late as can be.

        Before the start phase: its last act may be a seccomp filter that refuses these calls.
        """
        refuse_magic_links(program)
        close_range(3 + self.preserve, cloexec=True)

    def execute(self, program: str) -> None:
        """Become the command; returns only by raising CommandError."""
        env = self.environment()
        self.page.begin("exec")
        try:
            os.execve(program, self.process.args, env)
        except OSError as error:
            self.page.end("exec", error.errno or -1)
            raise explain(program, error) from None


def where() -> str:
    """The path of this process's directory; "" where there is none from its root."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def _no_directory(path: str, number: int) -> CommandError:
    said = os.strerror(number).lower()
    code = 127 if number in (errno.ENOENT, errno.ENOTDIR) else 126
    return CommandError(f'chdir to cwd ("{path}") failed: {said}', exit_code=code)
