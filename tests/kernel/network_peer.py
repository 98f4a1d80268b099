"""A peer to talk to: answers everybody with the address it sees them come from.

network_peer.py serve PORT [udp]       prints "ready" when it listens
network_peer.py ask HOST PORT [udp]    prints the answer; exit status 1 when there is none
"""

from __future__ import annotations

import socket
import sys
from typing import NoReturn

TIMEOUT = 2
ANY = "0.0.0.0"  # noqa: S104  (in a namespace of the test)


def serve(port: int) -> NoReturn:
    with socket.create_server((ANY, port)) as server:
        print("ready", flush=True)
        held = []
        while True:
            connection, (peer, _port) = server.accept()
            connection.sendall(f"{peer}\n".encode())
            held.append(connection)


def serve_udp(port: int) -> NoReturn:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((ANY, port))
        print("ready", flush=True)
        while True:
            _data, peer = server.recvfrom(100)
            server.sendto(f"{peer[0]}\n".encode(), peer)


def ask(host: str, port: int, kind: int) -> str:
    with socket.socket(socket.AF_INET, kind) as client:
        client.settimeout(TIMEOUT)
        client.connect((host, port))
        if kind == socket.SOCK_DGRAM:
            client.send(b"?")
        return client.recv(100).decode().strip()


def main(verb: str, *words: str) -> None:
    udp = "udp" in words
    if verb == "serve":
        (serve_udp if udp else serve)(int(words[0]))
    else:
        print(ask(words[0], int(words[1]), socket.SOCK_DGRAM if udp else socket.SOCK_STREAM))


try:
    main(*sys.argv[1:])
except OSError as error:
    sys.exit(f"no answer: {error}")
