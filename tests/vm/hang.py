"""A kernel that QEMU starts and that does nothing: an ELF file with a PVH entry point (pvh.rst)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ADDRESS = 0x100000
CODE = b"\xfa\xf4\xeb\xfd"  # cli; hlt; jmp back to hlt
XEN_ELFNOTE_PHYS32_ENTRY = 18
EHDR, PHDR = struct.Struct("<16sHHIQQQIHHHHHH"), struct.Struct("<IIQQQQQQ")
PT_LOAD, PT_NOTE = 1, 4


def write(path: Path) -> str:
    note = struct.pack("<III4sQ", 4, 8, XEN_ELFNOTE_PHYS32_ENTRY, b"Xen\0", ADDRESS)
    at = EHDR.size + 2 * PHDR.size
    code = at + len(note)
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = EHDR.pack(ident, 2, 62, 1, ADDRESS, EHDR.size, 0, 0, EHDR.size, PHDR.size, 2, 0, 0, 0)
    load = PHDR.pack(PT_LOAD, 5, code, ADDRESS, ADDRESS, len(CODE), len(CODE), 1)
    notes = PHDR.pack(PT_NOTE, 4, at, at, at, len(note), len(note), 4)
    path.write_bytes(header + load + notes + note + CODE)
    return str(path)
