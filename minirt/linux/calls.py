"""The one door to the kernel: raw system calls by number, and failures as KernelError.

glibc has no wrappers for the newer calls, and its fork and setns wrappers do more than the
kernel's, so every call here is syscall(2). PyDLL keeps the interpreter's lock: nothing else may
run between a clone and the child's first Python instruction.
"""

from __future__ import annotations

import os

from minirt.errors import HostError, KernelError
from minirt.linux import ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_libc = ffi.PyDLL(None, use_errno=True)
_libc.syscall.restype = ffi.c_long
MACHINE = os.uname().machine

# Calls since Linux 5.0 have one number on every architecture; older ones do not.
NUMBERS = {
    "pidfd_send_signal": 424,
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsconfig": 431,
    "fsmount": 432,
    "fspick": 433,
    "pidfd_open": 434,
    "clone3": 435,
    "close_range": 436,
    "openat2": 437,
    "pidfd_getfd": 438,
    "mount_setattr": 442,
}
OLDER = {
    "x86_64": {
        "rt_sigaction": 13, "rt_sigtimedwait": 128, "capget": 125, "capset": 126, "pivot_root": 155,
        "prctl": 157, "mount": 165, "umount2": 166, "sethostname": 170, "setdomainname": 171,
        "fstatfs": 138, "keyctl": 250, "unshare": 272, "setns": 308, "seccomp": 317,
        "memfd_create": 319,
    },
    "aarch64": {
        "rt_sigaction": 134, "rt_sigtimedwait": 137, "capget": 90, "capset": 91, "pivot_root": 41,
        "prctl": 167, "mount": 40, "umount2": 39, "sethostname": 161, "setdomainname": 162,
        "fstatfs": 44, "keyctl": 219, "unshare": 97, "setns": 268, "seccomp": 277,
        "memfd_create": 279,
    },
}  # fmt: skip
NUMBERS.update(OLDER.get(MACHINE, {}))

Argument = int | bytes | ffi.Structure | None


def invoke(name: str, *arguments: Argument) -> int:
    """Make the system call `name`; return its result, or minus its errno."""
    number = NUMBERS.get(name)
    if number is None:
        raise HostError(
            f"minirt knows no system call numbers for {MACHINE}",
            hint="use an x86_64 or aarch64 machine",
        )
    # Spelled out, because an int argument would be cut to 32 bits by ctypes' default.
    words = [ffi.c_long(a) if isinstance(a, int) else _pointer(a) for a in arguments]
    result: int = _libc.syscall(ffi.c_long(number), *words)
    return result if result >= 0 else -ffi.get_errno()


def _pointer(argument: bytes | ffi.Structure | None) -> object:
    return ffi.byref(argument) if isinstance(argument, ffi.Structure) else argument


def check(name: str, *arguments: Argument, what: str, shown: str = "", kernel: str = "") -> int:
    """Make the call and return its result; KernelError when it fails.

    `what` says what was wanted; `shown` are the arguments as the manual page would write them.
    """
    result = invoke(name, *arguments)
    if result < 0:
        raise KernelError(what, call=f"{name}({shown})", errno=-result, kernel=kernel)
    return result


def failed(what: str, call: str, error: OSError) -> KernelError:
    """An OSError that Python's own os module raised, as a KernelError."""
    return KernelError(what, call=call, errno=error.errno or 0)


def names(flags: int, table: Mapping[str, int]) -> str:
    """Flags as their kernel names: `names(6, {"MS_NOSUID": 2, "MS_NODEV": 4})`."""
    known = [name for name, bit in table.items() if bit and flags & bit == bit]
    rest = flags
    for name in known:
        rest &= ~table[name]
    return "|".join([*known, *([hex(rest)] if rest else [])]) or "0"
