"""A seccomp agent: answers for the calls of a container (seccomp_unotify(2))."""

from __future__ import annotations

import array
import errno
import fcntl
import json
import os
import select
import socket
import struct
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any, Self

RECV, SEND = 0xC0502100, 0xC0182101  # SECCOMP_IOCTL_NOTIF_*
CONTINUE = 1


class Agent:
    """Listens at `path`; lets all calls go on but those of `refused`, which get EXDEV."""

    def __init__(self, path: Path, refused: tuple[int, ...] = ()) -> None:
        self.states: list[dict[str, Any]] = []
        self.calls: list[int] = []
        self._refused = refused
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(path))
        self._socket.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                text, fds, _, _ = socket.recv_fds(connection, 1 << 16, 4)
                while more := connection.recv(1 << 16):  # one state, then the end
                    text += more
            state = json.loads(text)
            assert state["fds"] == ["seccompFd"], state
            assert len(fds) == 1
            self.states.append(state)
            threading.Thread(target=self._answer, args=fds, daemon=True).start()

    def _answer(self, listener: int) -> None:
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        while not poll.poll()[0][1] & select.POLLHUP:
            asked = array.array("B", bytes(80))
            try:
                fcntl.ioctl(listener, RECV, asked)
                number, _, _, call = struct.unpack_from("=QIIi", asked)
                self.calls.append(call)
                answer = (0, -errno.EXDEV, 0) if call in self._refused else (0, 0, CONTINUE)
                fcntl.ioctl(listener, SEND, struct.pack("=Qqii", number, *answer))
            except FileNotFoundError:  # the caller was killed meanwhile
                continue
        os.close(listener)
