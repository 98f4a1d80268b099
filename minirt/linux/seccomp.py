"""seccomp(2): hand the kernel a program that judges every later system call of this process."""

from __future__ import annotations

from minirt.linux import ffi
from minirt.linux.calls import check, names

SECCOMP_SET_MODE_FILTER = 1
FILTER_FLAGS = {
    "SECCOMP_FILTER_FLAG_TSYNC": 1, "SECCOMP_FILTER_FLAG_LOG": 2,
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW": 4, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV": 32,
}  # fmt: skip
INSTRUCTION = 8


class Fprog(ffi.Structure):
    """struct sock_fprog: the number of instructions, and where they are."""

    _fields_ = [("len", ffi.c_ushort), ("filter", ffi.c_char_p)]


def fprog(program: bytes) -> Fprog:
    """A program ready to load. Made before the clone: nothing is left to allocate after it."""
    return Fprog(len(program) // INSTRUCTION, program)


def load(program: Fprog, flags: int = 0) -> None:
    """Load the filter: needs no_new_privs, or CAP_SYS_ADMIN in the own user namespace."""
    shown = f"SECCOMP_SET_MODE_FILTER, {names(flags, FILTER_FLAGS)}, {program.len} instructions"
    what = "cannot load the seccomp filter"
    check("seccomp", SECCOMP_SET_MODE_FILTER, flags, program, what=what, shown=shown)
