"""Descriptors for whoever started us: by a socket that they listen at (SCM_RIGHTS, unix(7))."""

from __future__ import annotations

import _socket
import os
import struct

from minirt.errors import ConfigError


def send(path: str, fd: int, data: str, option: str) -> None:
    """Send `fd` with `data` to the stream socket at `path`, which `option` named; then hang up."""
    directory, name = os.path.split(path)
    socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        # An address has at most 107 bytes: it goes through a descriptor of the directory.
        where = os.open(directory or ".", os.O_PATH | os.O_CLOEXEC)
        try:
            socket.connect(f"/proc/self/fd/{where}/{name}")
        finally:
            os.close(where)
        rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack("i", fd))
        socket.sendmsg([data.encode()], [rights])
    except OSError as error:
        what = f"cannot send a descriptor to {path}: {(error.strerror or '').lower()}"
        raise ConfigError(what, pointer=option, hint="listen at that socket first") from None
    finally:
        socket.close()
