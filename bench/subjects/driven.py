"""minirt-oci, runc and crun as engines use them: one bundle, one configuration, no environment.

What differs is the program that is called, and what is in `note`.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import shutil
import sys
from typing import TYPE_CHECKING

from bench.subject import CONTAINER, NONE
from bench.subjects import bundle
from bench.subjects.container import Container
from bench.subjects.plain import Plain
from minirt.linux import command
from minirt.oci.interpreter import chosen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import Any, Protocol, Self

    from bench.subject import Run, Subject
    from bench.subjects.place import Place
    from minirt.oci.interpreter import Interpreter

    class Program(Protocol):
        """What is called: a program with runc's command line."""

        name: str

        def absent(self) -> str: ...
        def note(self) -> str: ...
        def ready(self, directory: Path) -> contextlib.AbstractContextManager[str]:
            """Its path, for as long as it is wanted."""


MINIRT = "minirt-oci"


class Installed:
    """A runtime of the distribution."""

    def __init__(self, name: str) -> None:
        self.name = name

    def absent(self) -> str:
        return "" if shutil.which(self.name) else f"{self.name} is not installed"

    def note(self) -> str:
        return "compiles the system call filter at each start"

    @contextlib.contextmanager
    def ready(self, _directory: Path) -> Iterator[str]:
        yield shutil.which(self.name) or self.name


class Launcher:
    """minirt-oci by the launcher that `minirt oci install` writes, in a directory of its own."""

    name = MINIRT

    def absent(self) -> str:
        return ""

    def note(self) -> str:
        python = interpreter()
        return (
            f"by its launcher; interpreter {python.path}, ready in {python.ready_ms:.1f} ms;"
            " keeps the compiled system call filter"
        )

    @contextlib.contextmanager
    def ready(self, directory: Path) -> Iterator[str]:
        path = str(directory / MINIRT)
        _oci("install", path, "--python", interpreter().path)
        try:
            yield path
        finally:
            _oci("uninstall", path)


def _oci(action: str, path: str, *options: str) -> None:
    """`minirt oci ACTION`, with its files beside the launcher and not in /var/lib."""
    words = [sys.executable, "-I", "-m", "minirt", "oci", action, "--to", path, *options]
    state = f"MINIRT_STATE={os.path.dirname(path)}/state/launcher"
    command.run(words, env=(f"PATH={command.PATH}", state))


@functools.cache
def interpreter() -> Interpreter:
    """What `minirt oci install` chooses; once, for a subject and the same again must not differ."""
    return chosen()[0]


class Driven:
    """A runtime that is driven as engines do it."""

    family, network = CONTAINER, NONE

    def __init__(self, place: Place, program: Program) -> None:
        self.place = place
        self.program = program
        self.name = self.label = program.name
        self._numbers = itertools.count()
        self._ours = contextlib.ExitStack()

    def absent(self) -> str:
        if os.geteuid() != 0:
            return "engines' configuration needs root"
        return self.program.absent()

    def note(self) -> str:
        return self.program.note()

    def __enter__(self) -> Self:
        self._directory = self.place.directory(self.name)
        bundle.write_files(self._directory)
        self._template: dict[str, Any] = bundle.template(self.place.tree, self._directory)
        path = self._ours.enter_context(self.program.ready(self._directory))
        self._command = [path, "--root", str(self._directory / "root")]
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.close()

    def container(self, argv: Sequence[str]) -> Container:
        """A new one, of which nothing exists but its bundle."""
        name = f"minirt-bench-{os.getpid()}-{self.name}-{next(self._numbers)}"
        config = bundle.of_container(self._template, name, argv)
        return Container(self._command, self._directory / name, config)

    def run(self, argv: Sequence[str]) -> Run:
        with self.container(argv) as container:
            return container.run()

    def launch(self, argv: Sequence[str]) -> Container:
        container = self.container(argv)
        try:
            container.create()
            container.start()
        except BaseException:
            container.__exit__()
            raise
        return container


def every(place: Place) -> dict[str, Subject]:
    """The plain process as the floor, and the runtimes, by name."""
    programs: list[Program] = [Launcher(), Installed("runc"), Installed("crun")]
    subjects: list[Subject] = [Plain(place), *(Driven(place, program) for program in programs)]
    return {subject.name: subject for subject in subjects}
