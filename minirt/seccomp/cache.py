"""Compiled seccomp programs, kept in the cache directory: one small file read at each start.

A file is the SHA-256 of the rest, then the key, then the program. The key covers all that the
program follows from, so that a file is right or ignored, and never needs to be removed.
"""

from __future__ import annotations

import os
import stat

from minirt import __version__
from minirt.codec import dumps
from minirt.linux.calls import MACHINE

try:  # hashlib would load OpenSSL (2 ms); these are its built-in implementations.
    from _sha256 import sha256  # type: ignore[import-not-found]
except ImportError:  # Python 3.12 and later
    from _sha2 import sha256  # type: ignore[import-not-found]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from minirt.codec import Json

# Raise when the compiler makes another program of the same profile.
COMPILER = "2"
LIBRARIES = (f"/usr/lib/{MACHINE}-linux-gnu", "/usr/lib64", "/usr/lib")
DIGEST = 32


def default_program(kept: Sequence[str], cache: str) -> bytes:
    """The default profile's program for a container with these capabilities.

    `cache` is a directory, made if need be. HostError without libseccomp.
    """
    from minirt.seccomp.profile import resolve, text

    source = text()
    return _cached((source, ",".join(sorted(kept))), cache, lambda: resolve(source, kept, MACHINE))


def program(profile: Mapping[str, Json], cache: str) -> bytes:
    """The program for a profile as in `linux.seccomp`; ConfigError for a wrong one."""
    return _cached((dumps(profile),), cache, lambda: profile)


def _cached(inputs: Sequence[str], cache: str, profile: Callable[[], Mapping[str, Json]]) -> bytes:
    parts = (*inputs, MACHINE, _library(), __version__, COMPILER)
    key: bytes = sha256("\0".join(parts).encode()).digest()
    path = f"{cache}/seccomp-{key.hex()}"
    found = _read(path, key)
    if found:
        return found
    from minirt.seccomp.compiler import compile_profile

    made = compile_profile(profile())
    _write(path, key, made)
    return made


def _library() -> str:
    """Which libseccomp is installed, told without loading it, which would take 0.5 ms."""
    for directory in LIBRARIES:
        try:
            status = os.stat(f"{directory}/libseccomp.so.2")
        except OSError:
            continue
        return f"{status.st_size}.{status.st_mtime_ns}"
    return ""


def _read(path: str, key: bytes) -> bytes:
    """The program in a cache file; empty when there is none that can be trusted."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        status = os.fstat(fd)
        ours = stat.S_ISREG(status.st_mode) and status.st_uid in (0, os.geteuid())
        if not ours or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return b""
        content = os.read(fd, status.st_size)
    finally:
        os.close(fd)
    checked, code = content[DIGEST:], content[2 * DIGEST :]
    right = content[:DIGEST] == sha256(checked).digest() and checked[:DIGEST] == key
    return code if right and code and len(code) % 8 == 0 else b""


def _write(path: str, key: bytes, code: bytes) -> None:
    """Keep a program for the next time; a cache that cannot be written is no error."""
    content = key + code
    temporary = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, sha256(content).digest() + content)
        finally:
            os.close(fd)
        os.rename(temporary, path)
    except OSError:
        _discard(temporary)


def _discard(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
