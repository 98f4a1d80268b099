"""seccomp(2): hand the kernel a program that judges every later system call of this process."""

from __future__ import annotations

from minirt.linux import ffi
from minirt.linux.calls import check, names

SECCOMP_SET_MODE_FILTER = 1
NEW_LISTENER, TSYNC_ESRCH, WAIT_KILLABLE_RECV = 8, 16, 32
FILTER_FLAGS = {
    "SECCOMP_FILTER_FLAG_TSYNC": 1, "SECCOMP_FILTER_FLAG_LOG": 2,
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW": 4, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV": 32,
}  # fmt: skip
# What config.json may ask for, and what listening adds.
TSYNC = FILTER_FLAGS["SECCOMP_FILTER_FLAG_TSYNC"]
ALL_FLAGS = {
    **FILTER_FLAGS,
    "SECCOMP_FILTER_FLAG_NEW_LISTENER": NEW_LISTENER,
    "SECCOMP_FILTER_FLAG_TSYNC_ESRCH": TSYNC_ESRCH,
}
INSTRUCTION = 8


class Fprog(ffi.Structure):
    """struct sock_fprog: the number of instructions, and where they are."""

    _fields_ = [("len", ffi.c_ushort), ("filter", ffi.c_char_p)]


def fprog(program: bytes) -> Fprog:
    """A program ready to load. Made before the clone: nothing is left to allocate after it."""
    return Fprog(len(program) // INSTRUCTION, program)


def load(program: Fprog, flags: int = 0) -> None:
    """Load the filter: needs no_new_privs, or CAP_SYS_ADMIN in the own user namespace."""
    # It means something to a listener alone, and the kernel refuses it without one.
    _load(program, flags & ~WAIT_KILLABLE_RECV)


def listen(program: Fprog, flags: int = 0) -> int:
    """Load it too; the descriptor from which calls with the action NOTIFY are to be read.

    See seccomp_unotify(2). It is close-on-exec.
    """
    # With TSYNC alone a positive result would be the thread that could not follow.
    both = TSYNC_ESRCH if flags & TSYNC else 0
    return _load(program, flags | NEW_LISTENER | both)


def _load(program: Fprog, flags: int) -> int:
    shown = f"SECCOMP_SET_MODE_FILTER, {names(flags, ALL_FLAGS)}, {program.len} instructions"
    what = "cannot load the seccomp filter"
    return check("seccomp", SECCOMP_SET_MODE_FILTER, flags, program, what=what, shown=shown)
