"""Unpack what distributions pack kernels and modules with; the format is told by its magic."""

from __future__ import annotations

import lzma
import shutil
import subprocess
import zlib

from minirt.errors import HostError

GZIP, XZ = b"\x1f\x8b", b"\xfd7zXZ\0"
# What Python cannot unpack itself: magic, program, Debian package.
PROGRAMS = (
    (b"\x28\xb5\x2f\xfd", "zstd", "zstd"),
    (b"\x02\x21\x4c\x18", "lz4", "lz4"),
    (b"\x04\x22\x4d\x18", "lz4", "lz4"),
)


def decompress(data: bytes, *, what: str) -> bytes:
    """`data` unpacked; unchanged when it is in no known format. `what` names it in errors.

    HostError when the program for its format is missing, or it is damaged.
    """
    try:
        if data.startswith(GZIP):
            return zlib.decompressobj(wbits=31).decompress(data)
        if data.startswith(XZ):
            return lzma.LZMADecompressor().decompress(data)
    except (zlib.error, lzma.LZMAError) as error:
        raise HostError(f"{what} is damaged: {error}") from None
    for magic, program, package in PROGRAMS:
        if data.startswith(magic):
            return _by_program(program, package, data, what)
    return data


def _by_program(program: str, package: str, data: bytes, what: str) -> bytes:
    if shutil.which(program) is None:
        raise HostError(
            f"{what} is packed with {program}, which is not installed",
            hint=f"apt-get install {package}",
        )
    done = subprocess.run([program, "-dc"], input=data, capture_output=True, check=False)
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip()
        raise HostError(f"{what} is damaged: {reason}")
    return done.stdout
