"""From the host to an instance over TCP: one byte there and back, and a stream of 256 MiB.

direct     to its own address: veth and bridge, or a VM's tap; for the plain process the loopback
published  to a port of the host's, which the kernel's address translation leads to the container

Both ends are the same program. The one in the instance answers, and the one on the host is timed;
a stream ends when the other end says that it has read everything.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from bench import process, tree
from bench.metrics.metric import Reading
from bench.metrics.stamped import Work, work
from bench.subject import BRIDGE, NONE, PROCESS
from bench.subjects.launched import launch
from bench.subjects.steps import Step
from bench.tree import PROGRAM
from minirt.errors import HostError

if TYPE_CHECKING:
    from bench.samples import Setting
    from bench.subject import Instance, Subject

DIRECT, PUBLISHED = "direct", "published"
LOOPBACK = "127.0.0.1"
PORT = 7007  # inside, where nobody else has one
NO_ADDRESS = "it has no network that the host reaches"


class Network:
    """Not in a quick run: a stream to an emulated VM takes seconds."""

    name, title = "network", "network"
    seconds, least = (0.0, 240.0), 6

    def settings(self, *, full: bool) -> list[Setting]:
        return [{"path": DIRECT}, {"path": PUBLISHED}] if full else []

    def about(self, subject: Subject, setting: Setting, *, full: bool) -> bool:
        del full
        if setting["path"] == PUBLISHED:
            return isinstance(subject, Step) and subject.network == BRIDGE
        return subject.network != NONE or subject.family == PROCESS

    def take(self, subject: Subject, setting: Setting) -> list[Reading]:
        if setting["path"] == PUBLISHED:
            assert isinstance(subject, Step)  # noqa: S101  (see about)
            port = free_port()
            command = subject.command(serve(PORT), ["--publish", f"{port}:{PORT}"])
            with launch(command):
                return readings(LOOPBACK, port)
        port = free_port() if subject.family == PROCESS else PORT
        with subject.launch(serve(port)) as instance:
            return readings(address(subject, instance), port)


def serve(port: int) -> list[str]:
    return [PROGRAM, "serve", str(port)]


def address(subject: Subject, instance: Instance) -> str:
    """Where the host reaches it; HostError where it does not."""
    found = LOOPBACK if subject.family == PROCESS else instance.address
    if not found:
        raise HostError(NO_ADDRESS)
    return found


def readings(host: str, port: int) -> list[Reading]:
    """The round trip and the throughput to what serves there."""
    trip, stream = ask("pings", host, port), ask("stream", host, port)
    return [
        Reading(trip.seconds / trip.amount, "s", {"trips": trip.amount}, {"what": "round trip"}),
        Reading(stream.rate, "bytes/s", {"bytes": stream.amount}, {"what": "throughput"}),
    ]


def ask(kind: str, host: str, port: int) -> Work:
    """Let the host's end do its part."""
    command = [f"{tree.ensure()}{PROGRAM}", kind, host, str(port)]
    return work(process.run(command))


def free_port() -> int:
    """A port of the loopback that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
