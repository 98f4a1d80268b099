"""libseccomp.so.2: compiles rules on system calls to the program that seccomp(2) loads.

Used on the host only, before the clone. The library knows the calls' numbers on every
architecture, and how their arguments are laid out there (seccomp_rule_add(3)).
"""

from __future__ import annotations

import ctypes
import errno
import os

from minirt.errors import HostError
from minirt.linux.calls import MACHINE
from minirt.linux.files import memfd_create

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Comparison = tuple[int, int, int, int]  # argument, operator, datum, second datum

KILL_PROCESS, KILL_THREAD, TRAP, ERRNO = 0x80000000, 0, 0x30000, 0x50000
NOTIFY, TRACE, LOG, ALLOW = 0x7FC00000, 0x7FF00000, 0x7FFC0000, 0x7FFF0000
ACTIONS = {
    "SCMP_ACT_KILL": KILL_THREAD, "SCMP_ACT_KILL_THREAD": KILL_THREAD,
    "SCMP_ACT_KILL_PROCESS": KILL_PROCESS, "SCMP_ACT_TRAP": TRAP, "SCMP_ACT_ERRNO": ERRNO,
    "SCMP_ACT_TRACE": TRACE, "SCMP_ACT_LOG": LOG, "SCMP_ACT_ALLOW": ALLOW,
    "SCMP_ACT_NOTIFY": NOTIFY,
}  # fmt: skip
OPERATORS = {
    "SCMP_CMP_NE": 1, "SCMP_CMP_LT": 2, "SCMP_CMP_LE": 3, "SCMP_CMP_EQ": 4, "SCMP_CMP_GE": 5,
    "SCMP_CMP_GT": 6, "SCMP_CMP_MASKED_EQ": 7,
}  # fmt: skip
# Its token for an architecture is the kernel's AUDIT_ARCH_*, but for x32, which shares that of
# x86_64 and is told apart by bit 30 of the call's number.
ARCHITECTURES = {
    "SCMP_ARCH_X86": 0x40000003, "SCMP_ARCH_X86_64": 0xC000003E, "SCMP_ARCH_X32": 0x4000003E,
    "SCMP_ARCH_ARM": 0x40000028, "SCMP_ARCH_AARCH64": 0xC00000B7, "SCMP_ARCH_MIPS": 8,
    "SCMP_ARCH_MIPS64": 0x80000008, "SCMP_ARCH_MIPS64N32": 0xA0000008,
    "SCMP_ARCH_MIPSEL": 0x40000008, "SCMP_ARCH_MIPSEL64": 0xC0000008,
    "SCMP_ARCH_MIPSEL64N32": 0xE0000008, "SCMP_ARCH_PPC": 0x14, "SCMP_ARCH_PPC64": 0x80000015,
    "SCMP_ARCH_PPC64LE": 0xC0000015, "SCMP_ARCH_S390": 0x16, "SCMP_ARCH_S390X": 0x80000016,
    "SCMP_ARCH_PARISC": 0xF, "SCMP_ARCH_PARISC64": 0x8000000F, "SCMP_ARCH_RISCV64": 0xC00000F3,
}  # fmt: skip
NATIVE = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}.get(MACHINE, "")
OPTIMIZE, BINARY_TREE = 8, 2
PACKAGES = "install it: libseccomp2 (Debian, Ubuntu), libseccomp (Fedora, Arch, Alpine)"


class ArgCompare(ctypes.Structure):
    """struct scmp_arg_cmp."""

    _fields_ = [
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_uint),
        ("datum_a", ctypes.c_uint64),
        ("datum_b", ctypes.c_uint64),
    ]


class Version(ctypes.Structure):
    """struct scmp_version."""

    _fields_ = [(name, ctypes.c_uint) for name in ("major", "minor", "micro")]


def library() -> ctypes.CDLL:
    """Open the library; HostError names its package when the host has none."""
    try:
        opened = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        what = "the seccomp filter cannot be compiled: this host has no libseccomp.so.2"
        raise HostError(what, hint=PACKAGES) from None
    opened.seccomp_init.restype = ctypes.c_void_p
    opened.seccomp_version.restype = ctypes.POINTER(Version)
    return opened


def version() -> str:
    """The library's version, such as "2.5.4"."""
    found = library().seccomp_version().contents
    return f"{found.major}.{found.minor}.{found.micro}"


class Filter:
    """One filter under construction; `with` frees it."""

    __slots__ = ("_context", "_library")

    def __init__(self, default_action: int) -> None:
        self._library = library()
        context = self._library.seccomp_init(ctypes.c_uint32(default_action))
        if not context:
            raise HostError(f"libseccomp does not know the default action {default_action:#x}")
        self._context = ctypes.c_void_p(context)
        # Old versions know only the linear search; the program is longer but does the same.
        self._do("seccomp_attr_set", OPTIMIZE, BINARY_TREE, tolerate=(errno.EEXIST, errno.EINVAL))

    def __enter__(self) -> Filter:  # noqa: PYI034  (typing.Self is not in the import budget)
        return self

    def __exit__(self, *_: object) -> None:
        self._library.seccomp_release(self._context)

    def add_architecture(self, token: int) -> None:
        """Judge the calls of another architecture too (seccomp_arch_add(3))."""
        self._do("seccomp_arch_add", ctypes.c_uint32(token), tolerate=(errno.EEXIST,))

    def resolve(self, name: str, token: int) -> int:
        """The call's number on an architecture; negative where it has none."""
        number: int = self._library.seccomp_syscall_resolve_name_arch(
            ctypes.c_uint32(token), name.encode()
        )
        return number

    def add_rule(self, action: int, name: str, comparisons: Sequence[Comparison] = ()) -> bool:
        """Apply `action` to a call when all comparisons hold; False for an unknown name."""
        number: int = self._library.seccomp_syscall_resolve_name(name.encode())
        if number == -1:
            return False
        array = (ArgCompare * len(comparisons))(*(ArgCompare(*c) for c in comparisons))
        what = ("seccomp_rule_add_array", ctypes.c_uint32(action), number, len(comparisons))
        self._do(*what, array)
        return True

    def export(self) -> bytes:
        """The program: instructions of 8 bytes (seccomp_export_bpf(3))."""
        fd = memfd_create("seccomp")
        try:
            self._do("seccomp_export_bpf", fd)
            return os.pread(fd, os.fstat(fd).st_size, 0)
        finally:
            os.close(fd)

    def _do(self, function: str, *arguments: object, tolerate: tuple[int, ...] = ()) -> None:
        result: int = getattr(self._library, function)(self._context, *arguments)
        if result < 0 and -result not in tolerate:
            shown = ", ".join(str(a) for a in arguments if isinstance(a, int))
            raise HostError(f"libseccomp: {function}({shown}): {os.strerror(-result)}")
