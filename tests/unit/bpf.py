"""An interpreter for the classic BPF of seccomp: judges calls without loading a filter."""

from __future__ import annotations

import struct

AUDIT_X86_64, AUDIT_I386, AUDIT_AARCH64 = 0xC000003E, 0x40000003, 0xC00000B7
ALLOW, ERRNO = 0x7FFF0000, 0x50000
X32 = 0x40000000
JUMPS = {
    0x15: lambda a, k: a == k,
    0x25: lambda a, k: a > k,
    0x35: lambda a, k: a >= k,
    0x45: lambda a, k: bool(a & k),
}


def judge(program: bytes, number: int, *args: int, arch: int = AUDIT_X86_64) -> int:
    """What the filter returns for one call: SECCOMP_RET_* and its data."""
    padded = [*args, 0, 0, 0, 0, 0, 0][:6]
    data = struct.pack("=IIQ6Q", number & 0xFFFFFFFF, arch, 0, *padded)
    code = list(struct.iter_unpack("=HBBI", program))
    accumulator = at = 0
    while True:
        opcode, yes, no, k = code[at]
        at += 1
        if opcode == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, k)
        elif opcode == 0x54:
            accumulator &= k
        elif opcode == 0x05:
            at += k
        elif opcode == 0x06:
            return k
        else:
            at += yes if JUMPS[opcode](accumulator, k) else no


def allows(program: bytes, number: int, *args: int, arch: int = AUDIT_X86_64) -> bool:
    return judge(program, number, *args, arch=arch) == ALLOW
