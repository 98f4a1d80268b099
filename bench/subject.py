"""A subject: one way to run a program, as a process, in a container or in a VM.

All subjects run the same static program (bench/work.c) on the same root file tree, and are timed
by the same clock, the host's, from outside: a request is made, output arrives, the end is seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

PROCESS, CONTAINER, VM = "process", "container", "vm"
NONE, BRIDGE, TAP = "none", "bridge", "tap"
AGAIN = "-again"  # ends the name under which a subject is measured a second time


@dataclass
class Run:
    """One run to its end; times are CLOCK_MONOTONIC ns on the host.

    `lines` are what the program printed, each with its arrival here. `cpu_s` is the processor
    time of all processes that took part and ended, None where they are not this one's children.
    `used` is, for each line of a VM's program, the processor time of its QEMU when it arrived;
    `retries` how many boots failed before.
    """

    began: int
    ended: int
    status: int
    lines: list[tuple[str, int]]
    cpu_s: float | None = None
    phases: dict[str, tuple[int, int]] = field(default_factory=dict)
    used: list[float] = field(default_factory=list)
    retries: int = 0

    @property
    def first(self) -> int:
        """When the first line of the program arrived."""
        return self.lines[0][1]


class Instance(Protocol):
    """A running container, VM or process; its end is sure with the `with` block."""

    address: str  # where its network is reached from the host; "" without one

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...

    def pids(self) -> list[int]:
        """All processes on the host that belong to it: its own, its monitor, its VMM."""

    def cgroup(self) -> str:
        """A cgroup directory that holds it alone; "" where there is none."""

    def line(self, timeout: float) -> tuple[str, int]:
        """The next line that its program prints, and when it arrived; TimeoutError."""


class Subject(Protocol):
    """`with subject:` sets up what its runs share (a bundle, a disk, a daemon), and undoes it."""

    name: str  # in samples and on the command line: "step6"
    label: str  # for people: "minirt, step 6"
    family: str  # PROCESS, CONTAINER or VM
    network: str  # what a start sets up: NONE, BRIDGE (veth, bridge and NAT) or TAP

    def absent(self) -> str:
        """Why it cannot run on this machine; "" when it can."""

    def note(self) -> str:
        """What must stand beside each of its figures ("emulated: no KVM here"); or ""."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...

    def run(self, argv: Sequence[str]) -> Run:
        """Run a program of the root file tree ("/work idle") to its end."""

    def launch(self, argv: Sequence[str]) -> Instance:
        """Start one that stays, and return when its first line has arrived."""


def plain_name(subject: Subject) -> str:
    """Its name, the same for both of a pair: what a metric goes by."""
    return subject.name.removesuffix(AGAIN)
