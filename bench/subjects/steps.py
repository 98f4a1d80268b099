"""minirt's steps, as a person runs them: one Python process that lives as long as its container.

Steps 1 and 2 have no file tree of their own yet, so there the program is the host's file. From
step 4 on a container is on the bridge; "-none" leaves the network at loopback, which is what the
bundles of other runtimes have here.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from time import monotonic_ns, time_ns
from typing import TYPE_CHECKING

from bench import process
from bench.subject import BRIDGE, CONTAINER, NONE
from bench.subjects.launched import Launched, launch
from minirt.linux.namespaces import inode
from minirt.networks.register import DIRECTORY
from minirt.telemetry import otlp_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Self

    from bench.subject import Run
    from bench.subjects.place import Place

OWN_TREE, OWN_NETWORK, LAST = 3, 4, 6  # the steps that bring them, and the last one
ROOT, INTERPRETER = "minirt run", "interpreter"  # the trace, and what comes before it


FILTERS = "minirt/seccomp"  # below the cache: the compiled system call filters


class Step:
    """One step; `network` is "none" or, from step 4 on, "bridge"."""

    family = CONTAINER

    def __init__(self, place: Place, number: int, network: str = NONE) -> None:
        self.place = place
        self.number = number
        self.network = network
        plain = number < OWN_NETWORK or network == BRIDGE
        self.name = f"step{number}" if plain else f"step{number}-{network}"
        self.label = f"minirt, step {number}" + ("" if plain else ", no network")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def absent(self) -> str:
        if self.network == BRIDGE and os.geteuid() != 0:
            return "the bridge needs root"
        return ""

    def note(self) -> str:
        parts = []
        if self.number < OWN_TREE:
            parts.append("on the host's own files")
        if self.network == BRIDGE:
            parts.append("veth, bridge and NAT; loads a netlink library each time")
        if os.geteuid() != 0:
            parts.append("in a user namespace: an ordinary user's container, without a cgroup")
        return "; ".join(parts)

    def run(self, argv: Sequence[str]) -> Run:
        return self.run_with((), argv)

    def run_with(self, options: Sequence[str], argv: Sequence[str]) -> Run:
        """Run with more of the step's options, such as --no-trace or --kernel."""
        return process.run(self.command(argv, options), self.environment())

    def trace(self, argv: Sequence[str]) -> Run:
        """Run, with the phases of minirt's own trace; writing it takes longer than not to."""
        file = self.place.directory(self.name) / "trace.jsonl"
        file.unlink(missing_ok=True)
        ahead = time_ns() - monotonic_ns()
        run = self.run_with(["--trace", str(file)], argv)
        run.phases.update(phases(file, ahead))
        run.phases[INTERPRETER] = (run.began, run.phases[ROOT][0])
        return run

    def launch(self, argv: Sequence[str]) -> Launched:
        instance = launch(self.command(argv), self.environment())
        if self.network == BRIDGE:
            instance.address = address_of(instance.pids())
        return instance

    def environment(self) -> dict[str, str]:
        return process.environment()

    def command(self, argv: Sequence[str], options: Sequence[str] = ()) -> list[str]:
        argv = list(argv)
        words = [sys.executable, "-I", "-m", f"minirt.step{self.number}", "--quiet", *options]
        if self.number < OWN_TREE:
            argv[0] = f"{self.place.tree}{argv[0]}"
        else:
            words += ["--rootfs", self.place.tree]
        if self.number >= OWN_NETWORK:
            words += ["--network", self.network]
        return [*words, "--", *argv]


class Compiling(Step):
    """The last step, with a cache that has no filter yet: each start compiles and keeps one."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, LAST)
        self.name, self.label = f"{self.name}-compile", f"{self.label}, filter compiled"

    def note(self) -> str:
        compiles = "compiles its system call filter at each start, as runc does, and keeps it"
        return "; ".join(filter(None, (super().note(), compiles)))

    def environment(self) -> dict[str, str]:
        home = self.place.directory(self.name)
        shutil.rmtree(home / FILTERS, ignore_errors=True)
        return process.environment(XDG_CACHE_HOME=str(home))


def phases(file: Path, ahead: int) -> dict[str, tuple[int, int]]:
    """The spans of a trace by name; wall-clock times minus `ahead` are CLOCK_MONOTONIC."""
    with file.open(encoding="utf-8") as lines:
        traces = otlp_file.read(lines, str(file))
    found: dict[str, tuple[int, int]] = {}
    for span in (span for trace in traces for span in trace.spans):
        found.setdefault(span.name, (span.start - ahead, span.end - ahead))
    return found


def address_of(pids: Iterable[int]) -> str:
    """The address on minirt's bridge of the container that one of `pids` is init of."""
    register = Path(f"{DIRECTORY}/{inode('self', 'net')}.json")
    endpoints = json.loads(register.read_text(encoding="utf-8"))["endpoints"].values()
    mine = set(pids)
    return next((each["address"] for each in endpoints if each["pid"] in mine), "")


def all_steps(place: Place) -> list[Step]:
    """Steps 1 to 6 as they are, then 4 to 6 without a network, the last also without a cache."""
    steps = [
        Step(place, number, BRIDGE if number >= OWN_NETWORK else NONE)
        for number in range(1, LAST + 1)
    ]
    return [
        *steps,
        *(Step(place, number) for number in range(OWN_NETWORK, LAST + 1)),
        Compiling(place),
    ]
