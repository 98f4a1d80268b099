"""The channel between the host and the container's init: one message a packet.

A message is a JSON object with the member "kind", and may carry descriptors. SEQPACKET keeps
packets apart, and its end is seen as soon as the last holder of the other side is gone.
"""

from __future__ import annotations

import _socket
import struct

from minirt.codec import dumps, loads
from minirt.errors import MinirtError, from_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from minirt.codec import Json
    from minirt.errors import Field

SOCK = _socket.SOCK_SEQPACKET | _socket.SOCK_CLOEXEC
LONGEST = 1 << 16
LONGEST_TEXT = 1000  # of an error: there are ten, and a character can take six bytes


class Channel:
    """One end of a connected pair."""

    __slots__ = ("_socket", "fds")

    def __init__(self, socket: _socket.socket) -> None:
        self._socket = socket
        self.fds: list[int] = []

    def send(self, kind: str, fields: Mapping[str, Json] | None = None, fd: int = -1) -> None:
        data = dumps({"kind": kind, **(fields or {})}).encode()
        rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack("i", fd))] if fd >= 0 else []
        self._socket.sendmsg([data], rights, _socket.MSG_NOSIGNAL)

    def send_error(self, error: MinirtError) -> None:
        """Send a failure as fields, none too long for a packet; the receiver raises it."""
        fields = error.to_fields().items()
        self.send("error", {name: _shortened(value) for name, value in fields})

    def receive(self) -> dict[str, Json]:
        """The next message, kind "" at the end of the stream; a sent error is raised.

        A descriptor that came with it is appended to `fds`.
        """
        try:
            data, rights, _, _ = self._socket.recvmsg(
                LONGEST, _socket.CMSG_SPACE(4), _socket.MSG_CMSG_CLOEXEC
            )
        except ConnectionResetError:
            data, rights = b"", []
        for _level, _type, payload in rights:
            self.fds += struct.unpack("i", payload[:4])
        if not data:
            return {"kind": ""}
        message = loads(data.decode())
        if not isinstance(message, dict):
            raise TypeError(message)
        if message["kind"] == "error":
            raise from_fields(message)
        return message

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()


def _shortened(value: Field) -> Field:
    too_long = isinstance(value, str) and len(value) > LONGEST_TEXT
    return f"{str(value)[:LONGEST_TEXT]}..." if too_long else value


def pair() -> tuple[Channel, Channel]:
    """Two connected ends, close-on-exec."""
    ours, theirs = _socket.socketpair(_socket.AF_UNIX, SOCK)
    return Channel(ours), Channel(theirs)


class Listener:
    """A socket in the state directory: init waits at it for `start`.

    The address goes through /proc/self/fd, since a socket's path has at most 107 bytes.
    """

    __slots__ = ("_socket",)

    def __init__(self, directory_fd: int) -> None:
        self._socket = _socket.socket(_socket.AF_UNIX, SOCK)
        self._socket.bind(f"/proc/self/fd/{directory_fd}/start")
        self._socket.listen(1)

    def accept(self) -> Channel:
        """Wait for `start`; the listening socket is done with."""
        # The public accept() is in the slow `socket` module; this is what it calls.
        fd, _ = self._socket._accept()  # type: ignore[attr-defined]  # noqa: SLF001
        self._socket.close()
        return Channel(_socket.socket(fileno=fd))

    def close(self) -> None:
        self._socket.close()


def connect(directory_fd: int) -> Channel:
    """Reach the init that waits in the container of this state directory."""
    socket = _socket.socket(_socket.AF_UNIX, SOCK)
    socket.connect(f"/proc/self/fd/{directory_fd}/start")
    return Channel(socket)
