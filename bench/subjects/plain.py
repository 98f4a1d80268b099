"""A plain process: the floor under everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import process
from bench.subject import NONE, PROCESS
from bench.subjects.launched import Launched, launch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from bench.subject import Run
    from bench.subjects.place import Place


class Plain:
    """posix_spawn(3) of the program, in the host's own namespaces."""

    name, label, family = "process", "plain process", PROCESS
    network = NONE  # none of its own

    def __init__(self, place: Place) -> None:
        self.place = place

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def absent(self) -> str:
        return ""

    def note(self) -> str:
        return (
            "isolates nothing; some of its time is what starting and watching takes this harness,"
            " so its starts a second are also the most that the harness could measure"
        )

    def run(self, argv: Sequence[str]) -> Run:
        return process.run(self.command(argv))

    def launch(self, argv: Sequence[str]) -> Launched:
        return launch(self.command(argv))

    def command(self, argv: Sequence[str]) -> list[str]:
        """The program by its path on the host."""
        return [f"{self.place.tree}{argv[0]}", *argv[1:]]
