"""What a program's file asks of the kernel: an interpreter, a machine (execve(2), elf(5))."""

from __future__ import annotations

import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

ELF, ELF_64 = b"\x7fELF", 2
EI_CLASS, E_MACHINE = 4, 18
EM_NAMES = {3: "i386", 40: "arm", 62: "x86_64", 183: "aarch64", 243: "riscv"}
PT_INTERP = 3
PATH_MAX = 4096
LINE_MAX = 256  # what the kernel reads of a script (BINPRM_BUF_SIZE)
TABLE_MAX = 65536  # and of a table of segments (ELF_MIN_ALIGN)


def interpreter(file: int) -> str:
    """What the kernel would load to run this open file: by its #! line or PT_INTERP, else ""."""
    head = os.pread(file, LINE_MAX, 0)
    if head.startswith(b"#!"):
        line = head[2:].split(b"\n")[0].split(b"\0")[0].strip(b" \t")
        return os.fsdecode(line.replace(b"\t", b" ").split(b" ")[0])
    try:
        return _loader(file, head) if head.startswith(ELF) else ""
    except (IndexError, OSError, OverflowError, struct.error):
        return ""  # cut off, or nonsense: the kernel will refuse it


def _loader(file: int, head: bytes) -> str:
    for kind, offset, size in _segments(file, head):
        if kind == PT_INTERP:
            return os.fsdecode(os.pread(file, min(size, PATH_MAX), offset).split(b"\0")[0])
    return ""


def _segments(file: int, head: bytes) -> Iterator[tuple[int, int, int]]:
    """(type, offset, size in the file) of each segment of a little-endian ELF file."""
    wide = head[EI_CLASS] == ELF_64
    table, entry, first, fields = (
        ("<Q", "<IIQQQQ", 32, (0, 2, 5)) if wide else ("<I", "<IIIII", 28, (0, 1, 4))
    )
    (start,) = struct.unpack_from(table, head, first)
    size, count = struct.unpack_from("<HH", head, 54 if wide else 42)
    data = os.pread(file, min(size * count, TABLE_MAX), start)
    for number in range(count):
        found = struct.unpack_from(entry, data, number * size)
        yield found[fields[0]], found[fields[1]], found[fields[2]]


def machine(file: int) -> str:
    """What an ELF file was made for: "x86_64"; "" when it is not ELF."""
    head = os.pread(file, E_MACHINE + 2, 0)
    if not head.startswith(ELF) or len(head) < E_MACHINE + 2:
        return ""
    number = int.from_bytes(head[E_MACHINE:], "little")
    return EM_NAMES.get(number, f"machine type {number}")
