"""A client of CRI, as small as the wire allows: gRPC, and protocol buffers by field number.

A message is a dictionary of field numbers, as api.proto of kubernetes/cri-api gives them: in a
request to a number, a text, a message, or a list of such; in an answer each to a list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

VARINT, FIXED_64, LENGTH = 0, 1, 2  # wire types
NAME, UID, NAMESPACE = 1, 2, 3  # of PodSandboxMetadata
NETWORK_IP = (1, 5, 1)  # PodSandboxStatusResponse: status, network, ip
STATE, EXIT_CODE = (1, 3), (1, 7)  # ContainerStatusResponse: status, …
RUNNING, EXITED = 1, 2


def encode(message: dict[int, Any]) -> bytes:
    return b"".join(
        _field(number, one)
        for number, value in message.items()
        for one in (value if isinstance(value, list) else [value])
    )


def _field(number: int, value: Any) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3 | VARINT) + _varint(value)
    data = value.encode() if isinstance(value, str) else encode(value)
    return _varint(number << 3 | LENGTH) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    """Seven bits a byte, lowest first; the eighth says that more follow."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def decode(data: bytes) -> dict[int, list[Any]]:
    message: dict[int, list[Any]] = {}
    rest = iter(data)
    for byte in rest:
        key = _read(rest, byte)
        if key & 7 == VARINT:
            value: Any = _read(rest, next(rest))
        else:
            size = 8 if key & 7 == FIXED_64 else _read(rest, next(rest))
            value = bytes(next(rest) for _ in range(size))
        message.setdefault(key >> 3, []).append(value)
    return message


def _read(rest: Iterator[int], byte: int) -> int:
    value, shift = byte & 0x7F, 7
    while byte & 0x80:
        byte = next(rest)
        value |= (byte & 0x7F) << shift
        shift += 7
    return value


class Client:
    """The runtime service behind a socket."""

    def __init__(self, socket: Path) -> None:
        self.channel = grpc.insecure_channel(f"unix://{socket}")

    def call(self, name: str, request: dict[int, Any]) -> dict[int, list[Any]]:
        method = self.channel.unary_unary(f"/runtime.v1.RuntimeService/{name}", encode, decode)
        answer: dict[int, list[Any]] = method(request, timeout=60)
        return answer

    def text(self, name: str, request: dict[int, Any], *path: int) -> str:
        return str(self.value(name, request, *path).decode())

    def value(self, name: str, request: dict[int, Any], *path: int) -> Any:
        """One value of the answer, by its path of field numbers; 0 is not sent."""
        *outer, last = path
        message = self.call(name, request)
        for number in outer:
            message = decode(message[number][0])
        return message.get(last, [0])[0]
