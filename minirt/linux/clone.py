"""clone3(2): make the process that becomes the container's init, in its new namespaces."""

from __future__ import annotations

import errno

from minirt.errors import KernelError
from minirt.linux import ffi
from minirt.linux.calls import MACHINE, NUMBERS, invoke, names
from minirt.linux.namespaces import FLAG_NAMES

CLONE_PIDFD = 0x1000
CLONE_PARENT = 0x8000
CLONE_INTO_CGROUP = 0x200000000
SIGCHLD = 17
CLONE_FLAGS = {
    **FLAG_NAMES,
    "CLONE_PIDFD": CLONE_PIDFD,
    "CLONE_PARENT": CLONE_PARENT,
    "CLONE_INTO_CGROUP": CLONE_INTO_CGROUP,
}
NUMBERS.update({"x86_64": {"clone": 56}, "aarch64": {"clone": 220}}.get(MACHINE, {}))


class CloneArgs(ffi.Structure):
    """struct clone_args of clone3(2)."""

    _fields_ = [
        (name, ffi.c_uint64)
        for name in (
            "flags", "pidfd", "child_tid", "parent_tid", "exit_signal", "stack", "stack_size",
            "tls", "set_tid", "set_tid_size", "cgroup",
        )
    ]  # fmt: skip


def clone3(flags: int, *, cgroup_fd: int = -1) -> tuple[int, int]:
    """Fork into new namespaces; (0, -1) in the child, (host pid, pidfd) in the parent.

    `flags` are CLONE_NEW*; with `cgroup_fd` the child is born in that cgroup v2 directory.
    The caller must have one thread: the C library's own fork, which cares for others, is not
    used. With CLONE_PARENT the child is a sibling, and its pidfd is still the caller's.
    """
    pidfd = ffi.c_int(-1)
    args = CloneArgs(
        flags=flags | CLONE_PIDFD | (CLONE_INTO_CGROUP if cgroup_fd >= 0 else 0),
        pidfd=ffi.addressof(pidfd),
        exit_signal=0 if flags & CLONE_PARENT else SIGCHLD,
        cgroup=max(cgroup_fd, 0),
    )
    ffi.pythonapi.PyOS_BeforeFork()
    pid = invoke("clone3", args, ffi.sizeof(args))
    if pid == -errno.ENOSYS and cgroup_fd < 0:
        pid = _clone(args, pidfd)
    if pid == 0:
        ffi.pythonapi.PyOS_AfterFork_Child()
        return 0, -1
    ffi.pythonapi.PyOS_AfterFork_Parent()
    if pid < 0:
        raise KernelError(
            "cannot make the container's first process",
            call=f"clone3({names(args.flags, CLONE_FLAGS)})",
            errno=-pid,
        )
    return pid, pidfd.value


def _clone(args: CloneArgs, pidfd: ffi.c_int) -> int:
    """clone(2), for kernels before 5.3 and seccomp filters that answer clone3 with ENOSYS."""
    flags = args.flags | args.exit_signal
    address = ffi.addressof(pidfd)
    return invoke("clone", flags, 0, address, 0, 0)
