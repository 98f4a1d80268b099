"""The end of a process: wait for it, by its pidfd, and for its exit status (waitid(2), poll(2))."""

from __future__ import annotations

import errno
import os

from minirt.errors import HostError

PAUSE = 50  # ms
PATIENCE = 200  # such pauses


def wait(pidfd: int) -> int:
    """Wait for the process to end; its exit status as a shell counts it (128 + signal)."""
    result = os.waitid(os.P_PIDFD, pidfd, os.WEXITED)
    if result is None:  # only with WNOHANG
        raise ChildProcessError(errno.ECHILD, os.strerror(errno.ECHILD))
    if result.si_code == os.CLD_EXITED:
        return result.si_status
    return 128 + result.si_status


def ended(pidfd: int) -> None:
    """Wait until the process of `pidfd` has ended, be it ours or not; reap it if it is."""
    import select

    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    poll.poll()
    try:
        os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG)
    except ChildProcessError:
        pass


def released(pidfd: int, pid: int) -> None:
    """Like `ended`; but it is enough that the process, killed, has left its namespaces.

    The first of a pid namespace ends only when the others are reaped, and those of `exec` have
    parents of their own, which may never do it (pid_namespaces(7)). HostError after 10 s: what
    waits uninterruptibly, or is frozen by a cgroup that is not its own, does not hear SIGKILL.
    """
    import select

    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    for _ in range(PATIENCE):
        if poll.poll(PAUSE):
            return ended(pidfd)
        try:
            os.readlink(f"/proc/{pid}/ns/mnt")
        except OSError:
            return None
    raise HostError(f"process {pid} does not end", hint=f"see what it waits for: /proc/{pid}/stack")


def exit_code(status: int) -> int:
    """What os.waitpid returned, as a shell counts it (128 + signal)."""
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
