"""`--publish HOST:CONTAINER[/udp]`: reading it, and whether the host's port is free."""

from __future__ import annotations

import _socket

from minirt.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

EADDRINUSE = 98
PROTOCOLS = {"tcp": _socket.SOCK_STREAM, "udp": _socket.SOCK_DGRAM}


class Port:
    """One published port: `Port("8080:80/udp")`; ConfigError when it is not of that form."""

    __slots__ = ("container", "host", "protocol", "text")

    def __init__(self, text: str, pointer: str = "--publish") -> None:
        self.text = text
        numbers, slash, protocol = text.partition("/")
        self.protocol = protocol if slash else "tcp"
        host, _, container = numbers.partition(":")
        if self.protocol not in PROTOCOLS or not (_is_port(host) and _is_port(container)):
            raise ConfigError(
                f'"{text}" is not HOST:CONTAINER[/udp], with ports from 1 to 65535',
                pointer=pointer,
                hint="for example: 8080:80",
            )
        self.host, self.container = int(host), int(container)

    def __str__(self) -> str:
        return f"{self.host}/{self.protocol}"


def _is_port(text: str) -> bool:
    sound = text.isdecimal() and text.isascii() and len(text) <= 5
    return sound and 1 <= int(text) <= 65535


def check_free(ports: Iterable[Port], published: Iterable[str]) -> None:
    """ConfigError when a host port is in use, by a program or by one of `published`.

    A free port is not held: the address translation takes its packets before any socket sees
    them, so a program that binds it later gets none.
    """
    taken = {str(Port(text)) for text in published}
    for port in ports:
        if str(port) in taken:
            raise _in_use(port, "by another container", "nft list table ip minirt")
        if _bound(port):
            program = f"ss -{port.protocol[0]}lnp 'sport = :{port.host}'"
            raise _in_use(port, "by a program of the host", program)
        taken.add(str(port))


def _in_use(port: Port, by: str, show: str) -> ConfigError:
    return ConfigError(
        f"port {port} of the host is in use {by}",
        pointer=f"--publish {port.text}",
        hint=f"choose another host port, or see who has it: {show}",
    )


def _bound(port: Port) -> bool:
    trial = _socket.socket(_socket.AF_INET, PROTOCOLS[port.protocol] | _socket.SOCK_CLOEXEC)
    try:
        if port.protocol == "tcp":
            # Else connections in TIME_WAIT count too: a server that has ended a minute ago.
            trial.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
        trial.bind(("0.0.0.0", port.host))  # noqa: S104  (never listened on)
    except OSError as error:
        return error.errno == EADDRINUSE
    finally:
        trial.close()
    return False
