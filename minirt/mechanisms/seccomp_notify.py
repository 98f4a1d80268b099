"""Seccomp with a listener: a process outside answers for some calls (seccomp_unotify(2)).

Once the filter is loaded, init may make no call but execve, for each could be one that is
refused or has to be answered. So it cannot send the listener's descriptor: it shows the number in
shared memory and waits there, and the host copies the descriptor and sends it to the agent.
"""

from __future__ import annotations

import os

from minirt import hook
from minirt.codec import dumps
from minirt.linux import sockets
from minirt.linux.process import SIGKILL, pidfd_getfd, pidfd_send_signal
from minirt.linux.rendezvous import Rendezvous
from minirt.linux.seccomp import Fprog, fprog, listen
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from minirt.codec import Json
    from minirt.context import Context

POINTER = "/linux/seccomp/listenerPath"


class SeccompNotify(Mechanism):
    """Load what `compiled` returns; give its listener to whoever listens at the socket `path`."""

    name = "seccomp_notify"

    def __init__(
        self, compiled: Callable[[], bytes], path: str, metadata: str = "", *, flags: int = 0
    ) -> None:
        self.compiled = compiled
        self.path = path
        self.metadata = metadata
        self.flags = flags
        self._ready = Fprog()
        self._meeting: Rendezvous | None = None

    def prepare(self, ctx: Context) -> None:
        self._ready = fprog(self.compiled())

    def start(self, ctx: Context) -> None:
        self._meeting = meeting = Rendezvous()  # kept: to unmap it would be a system call
        ctx.send_fd(meeting.fd)
        meeting.offer(listen(self._ready, self.flags))

    def assist(self, ctx: Context) -> None:
        meeting = Rendezvous(ctx.take_fd())
        try:
            number = meeting.offered(ctx.pidfd)
            if number < 0:
                return  # it could not load the filter, and has said why
            listener = pidfd_getfd(ctx.pidfd, number)
            sockets.send(self.path, listener, dumps(self.told(ctx)), POINTER)
            os.close(listener)
            meeting.take()
        except BaseException:
            pidfd_send_signal(ctx.pidfd, SIGKILL)  # the filter lets it neither go on nor exit
            raise
        finally:
            meeting.close()

    def told(self, ctx: Context) -> dict[str, Json]:
        """What the agent is told (config-linux.md, "The Container Process State")."""
        status = "running" if ctx.init else "created"
        return {
            "ociVersion": hook.SPEC_VERSION,
            "fds": ["seccompFd"],
            "pid": ctx.pid,
            "metadata": self.metadata,
            "state": hook.state(ctx, status, ctx.init or ctx.pid),
        }

    def describe(self) -> str:
        return "seccomp: the configured profile, whose listener answers for some system calls"
