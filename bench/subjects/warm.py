"""minirt warm: step 6 asked of a process that has loaded it already (resident.py).

The in-process API is what a program pays that embeds minirt: no interpreter starts and nothing is
imported; everything else of step 6 happens for each container.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from time import monotonic_ns
from typing import TYPE_CHECKING

from bench.process import TIMEOUT, Process
from bench.subject import CONTAINER, NONE, Run
from bench.subjects.launched import Launched
from bench.subjects.resident import SAYS
from minirt.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from bench.subjects.place import Place

RESIDENT = Path(__file__).with_name("resident.py")


class Warm:
    """A resident process, asked again and again; an instance gets a resident of its own."""

    name, label, family = "warm", "minirt, step 6, warm", CONTAINER
    network = NONE

    def __init__(self, place: Place) -> None:
        self.place = place

    def absent(self) -> str:
        return ""

    def note(self) -> str:
        return "asked of a resident process; no network"

    def __enter__(self) -> Self:
        self._residents: dict[tuple[str, ...], Process] = {}
        return self

    def __exit__(self, *_: object) -> None:
        for resident in self._residents.values():
            resident.__exit__()

    def run(self, argv: Sequence[str]) -> Run:
        return self.run_with((), argv)

    def run_with(self, options: Sequence[str], argv: Sequence[str]) -> Run:
        """Ask the resident that has these options of the step, which is started if need be."""
        resident = self._residents.get(tuple(options))
        if resident is None:
            resident = self._residents[tuple(options)] = self._new(options)
        return self._ask(resident, argv)

    def _ask(self, resident: Process, argv: Sequence[str]) -> Run:
        began = ask(resident, argv)
        lines = []
        while not (line := resident.line())[0].startswith(SAYS):
            lines.append(line)
        status, cpu_s = line[0].split()[2:]
        if status != "0" or not lines:
            raise HostError(f"{self.name} ended with {status}: {resident.complaint()}")
        return Run(began, line[1], int(status), lines, float(cpu_s))

    def launch(self, argv: Sequence[str]) -> Launched:
        instance = Launched(self._new())
        try:
            ask(instance.process, argv)
            instance.first = instance.line(TIMEOUT)
        except BaseException:
            instance.__exit__()
            raise
        return instance

    def _new(self, options: Sequence[str] = ()) -> Process:
        usual = ["--rootfs", self.place.tree, "--network", "none"]
        process = Process([sys.executable, "-I", str(RESIDENT), *usual, *options])
        process.__enter__()
        try:
            process.line()
        except BaseException:
            process.__exit__()
            raise
        return process


def ask(resident: Process, argv: Sequence[str]) -> int:
    """Ask for a container; when that was."""
    request = json.dumps(list(argv)) + "\n"
    began = monotonic_ns()
    resident.write(request)
    return began
