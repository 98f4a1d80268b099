"""Find the program to execute, and say why it cannot be executed (execve(2))."""

from __future__ import annotations

import errno
import os
import struct

from minirt.errors import CommandError
from minirt.linux.calls import MACHINE

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PT_INTERP = 3
EM_NAMES = {3: "i386", 40: "arm", 62: "x86_64", 183: "aarch64", 243: "riscv"}


def look_up(name: str, path: str) -> str:
    """The file that execvp would run; CommandError 127 or 126 as a shell would exit."""
    if "/" in name:
        return name
    refused = False
    for directory in (path or DEFAULT_PATH).split(":"):
        candidate = f"{directory or '.'}/{name}"
        if os.access(candidate, os.X_OK) and not os.path.isdir(candidate):
            return candidate
        refused = refused or os.path.isfile(candidate)
    if refused:
        raise CommandError(f"{name}: permission denied", exit_code=126, hint="chmod +x the file")
    raise CommandError(
        f'exec: "{name}": executable file not found in $PATH',
        hint=f"PATH inside is {path or DEFAULT_PATH}",
    )


def explain(program: str, error: OSError) -> CommandError:
    """What execve's errno means for this very file."""
    said = (error.strerror or "").lower()
    if error.errno == errno.ENOENT:
        return CommandError(f"{program}: {_what_is_missing(program)}")
    if error.errno == errno.ENOEXEC:
        return CommandError(
            f"{program}: exec format error",
            exit_code=126,
            hint=f"{_format(program)}; this machine is {MACHINE}",
        )
    return CommandError(f"{program}: {said}", exit_code=126)


def _what_is_missing(program: str) -> str:
    try:
        header = _head(program)
    except OSError:
        return "no such file or directory"
    if header.startswith(b"#!"):
        interpreter = os.fsdecode(header[2:].split(b"\n")[0].strip().split(b" ")[0])
        return f"its interpreter {interpreter} (first line, #!) does not exist in the container"
    interpreter = _elf_interpreter(header)
    if interpreter:
        return f"its dynamic loader {interpreter} (PT_INTERP) does not exist in the container"
    return "no such file or directory"


def _format(program: str) -> str:
    try:
        header = _head(program)
    except OSError:
        return "the file cannot be read"
    if header[:4] == b"\x7fELF":
        machine = int.from_bytes(header[18:20], "little")
        return f"the program is for {EM_NAMES.get(machine, f'machine type {machine}')}"
    return "the file is neither ELF nor a script that starts with #!"


def _head(program: str) -> bytes:
    with open(program, "rb") as file:
        return file.read(4096)


def _elf_interpreter(header: bytes) -> str:
    """PT_INTERP of a 64-bit little-endian ELF file; "" when it has none."""
    if header[:6] != b"\x7fELF\x02\x01":
        return ""
    (offset,) = struct.unpack_from("<Q", header, 32)
    size, count = struct.unpack_from("<HH", header, 54)
    for start in range(offset, min(offset + size * count, len(header) - 56), size):
        kind, _flags, where, _, _, length = struct.unpack_from("<IIQQQQ", header, start)
        if kind == PT_INTERP:
            return os.fsdecode(header[where : where + length].rstrip(b"\0"))
    return ""
