"""What a process sets about itself and others: prctl(2), pidfds, descriptors, signals."""

from __future__ import annotations

import os

from minirt.linux.calls import NUMBERS, check, invoke
from minirt.linux.files import read_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from collections.abc import Callable, Iterable
else:  # `signal` builds enums at import (3 ms); its C core has all that is needed.
    import _signal

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_READ, PR_CAPBSET_DROP = 1, 4, 23, 24
PR_SET_KEEPCAPS, PR_SET_NO_NEW_PRIVS, PR_SET_CHILD_SUBREAPER, PR_CAP_AMBIENT = 8, 38, 36, 47
PR_NAMES = {
    1: "PR_SET_PDEATHSIG", 4: "PR_SET_DUMPABLE", 8: "PR_SET_KEEPCAPS", 23: "PR_CAPBSET_READ",
    24: "PR_CAPBSET_DROP", 36: "PR_SET_CHILD_SUBREAPER", 38: "PR_SET_NO_NEW_PRIVS",
    47: "PR_CAP_AMBIENT",
}  # fmt: skip
SIGHUP, SIGINT, SIGQUIT, SIGKILL, SIGUSR1, SIGUSR2, SIGPIPE = 1, 2, 3, 9, 10, 12, 13
SIGTERM, SIGXFSZ, SIGWINCH = 15, 25, 28
FIRST_REALTIME, LAST_SIGNAL = 32, 64
EVERY_SIGNAL = (1 << LAST_SIGNAL) - 1
CLOSE_RANGE_CLOEXEC = 4
OWN_NAME = b"minirt\0init"
KEYCTL_JOIN_SESSION_KEYRING = 1


def prctl(option: int, argument: int = 0, *, more: int = 0, what: str) -> int:
    """prctl(2) with its unused arguments zero."""
    shown = f"{PR_NAMES.get(option, option)}, {argument}"
    return check("prctl", option, argument, more, 0, 0, what=what, shown=shown)


def join_session_keyring() -> None:
    """Leave the caller's session keyring for an empty one (keyctl(2), session-keyring(7)).

    Keyrings are not of any namespace. Where the call is not to be had, nor are keys.
    """
    invoke("keyctl", KEYCTL_JOIN_SESSION_KEYRING, None, 0, 0, 0)


def pidfd_open(pid: int) -> int:
    """A descriptor for process `pid` that can never come to mean another (pidfd_open(2))."""
    return check("pidfd_open", pid, 0, what=f"cannot find process {pid}", shown=str(pid))


def pidfd_send_signal(pidfd: int, signal: int) -> bool:
    """Send `signal`; False when the process has ended already (ESRCH)."""
    result = invoke("pidfd_send_signal", pidfd, signal, None, 0)
    if result == -3:  # ESRCH
        return False
    if result < 0:
        check(
            "pidfd_send_signal", pidfd, signal, None, 0,
            what="cannot send a signal to the container", shown=f"pidfd, {signal}",
        )  # fmt: skip
    return True


def pidfd_getfd(pidfd: int, number: int) -> int:
    """A copy of another process's descriptor (pidfd_getfd(2)), close-on-exec."""
    what = "cannot take over a descriptor of the container's init"
    return check("pidfd_getfd", pidfd, number, 0, what=what, shown=f"pidfd, {number}, 0")


def close_range(first: int, *, cloexec: bool = False) -> None:
    """Close every descriptor from `first` on, or mark it to be closed by exec."""
    flags = CLOSE_RANGE_CLOEXEC if cloexec else 0
    check(
        "close_range", first, 0x7FFFFFFF, flags, what="cannot close descriptors", shown=f"{first}"
    )


def default_signals(realtime: Iterable[int]) -> None:
    """Undo what Python and our callers ignore: ignored signals survive an exec.

    Python ignores SIGPIPE and SIGXFSZ. Under make(1), 32 and 33 are ignored too, which the C
    library keeps for itself: for those only the system call helps. `realtime` are the ones that
    `ignored_realtime` found, from 32 on.
    """
    for number in range(1, FIRST_REALTIME):
        if _signal.getsignal(number) not in (_signal.SIG_DFL, None):
            _signal.signal(number, _signal.SIG_DFL)
    default_action = bytes(32)  # struct sigaction of the kernel: SIG_DFL, no flags, empty mask
    for number in realtime:
        invoke("rt_sigaction", number, default_action, None, 8)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, [])


def ignored_realtime() -> list[int]:
    """The real-time signals that this process ignores (proc_pid_status(5), SigIgn)."""
    lines = read_all("/proc/self/status").splitlines()
    mask = int(next(line for line in lines if line.startswith(b"SigIgn:"))[7:], 16)
    return [n for n in range(FIRST_REALTIME, LAST_SIGNAL + 1) if mask & 1 << (n - 1)]


def set_handler(signal: int, handler: Callable[[int, object], None]) -> None:
    """Let Python run `handler` when `signal` arrives; it does not survive an exec."""
    _signal.signal(signal, handler)


def inheritable(first: int) -> list[int]:
    """Our descriptors from `first` on that survive execve(2); we open none such ourselves."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            if int(name) >= first and os.get_inheritable(int(name)):
                found.append(int(name))
        except OSError:
            pass  # the one that listed them
    return found


def signal_number(text: str) -> int:
    """The number of a signal given as "9", "KILL" or "SIGKILL"; -1 if there is none.

    0 is one: it is sent to see whether one could be (kill(2)).
    """
    if text.isdecimal():
        return int(text) if len(text) < 4 and int(text) <= LAST_SIGNAL else -1
    name = text.upper().removeprefix("SIG")
    first, last = _signal.SIGRTMIN, _signal.SIGRTMAX
    for base, number, sign in (("RTMIN", first, 1), ("RTMAX", last, -1)):
        rest = name.removeprefix(base)
        if name.startswith(base) and (not rest or (rest[1:].isdecimal() and len(rest) < 4)):
            return int(number) + sign * int(rest[1:] or 0)
    found: int = getattr(_signal, f"SIG{name}", -1) if name.isalnum() else -1
    return int(found)


def ignored(signal: int) -> bool:
    """Whether this process ignores `signal`, as nohup(1) and a shell's background jobs do."""
    return _signal.getsignal(signal) == _signal.SIG_IGN


class Wakeup:
    """A descriptor that can be read when a signal has come.

    Python runs a handler between two of its instructions. A signal that comes after the last
    one before a system call would wait until that call is over; a poll of this is not fooled.
    """

    __slots__ = ("_writer", "fd")

    def __init__(self) -> None:
        self.fd, self._writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        _signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)

    def drain(self) -> None:
        os.read(self.fd, 4096)

    def close(self) -> None:
        _signal.set_wakeup_fd(-1)
        os.close(self._writer)
        os.close(self.fd)


class Held:
    """Inside the `with` block these signals wait; at its end they arrive."""

    __slots__ = ("_before", "_signals")

    def __init__(self, signals: Iterable[int]) -> None:
        self._signals = signals

    def __enter__(self) -> None:
        self._before = _signal.pthread_sigmask(_signal.SIG_BLOCK, self._signals)

    def __exit__(self, *_: object) -> None:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, self._before)


def hide_arguments() -> None:
    """Let /proc/self/cmdline name no more than this, which every process inside may read.

    The command line of its runtime has paths of the host, and for exec perhaps a secret.
    """
    try:
        with open("/proc/self/stat", "rb") as stat:
            start, end = map(int, stat.read().rpartition(b")")[2].split()[45:47])
        memory = os.open("/proc/self/mem", os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.pwrite(memory, OWN_NAME[: end - start].ljust(end - start, b"\0"), start)
        finally:
            os.close(memory)
    except OSError:
        pass  # a host without one of them: nothing depends on it


def caught(pid: int) -> int:
    """The bit mask of signals that reach process `pid`, even as pid 1 of a namespace.

    Those it handles and those it blocks, which are queued for it (proc_pid_status(5)). While a
    thread is in sigwait(3) the kernel shows its signals as not blocked, so then it is all of
    them. 0 when the process has ended.
    """
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as status:
            fields = dict(line.split(":", 1) for line in status)
        if any(_in_sigwait(f"/proc/{pid}/task/{task}") for task in os.listdir(f"/proc/{pid}/task")):
            return EVERY_SIGNAL
    except OSError:
        return 0
    return int(fields.get("SigCgt", "0"), 16) | int(fields.get("SigBlk", "0"), 16)


def _in_sigwait(task: str) -> bool:
    try:
        with open(f"{task}/syscall", encoding="utf-8") as file:
            return file.read().split()[0] == str(NUMBERS["rt_sigtimedwait"])
    except PermissionError:  # not ours to trace
        return False


def start_time(pid: int) -> int:
    """When process `pid` started, in clock ticks since boot; 0 if there is none."""
    try:
        return int(read_all(f"/proc/{pid}/stat").rpartition(b")")[2].split()[19])
    except (OSError, IndexError):
        return 0


def alive(pid: int, started: int) -> bool:
    """Is `pid` still the process that started at `started`, and not a zombie?"""
    try:
        fields = read_all(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    except OSError:
        return False
    return fields[0] not in (b"Z", b"X") and int(fields[19]) == started


def threads() -> int:
    """How many threads this process has; a clone wants exactly one."""
    return len(os.listdir("/proc/self/task"))
