"""bubblewrap and LXC: other ways into namespaces, each with a scope of its own.

bubblewrap does what its options say, and knows neither cgroups nor an image; LXC is closer to a
machine, and here executes one program with the least configuration that isolates it.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from bench import process
from bench.subject import CONTAINER, NONE
from bench.subjects.launched import Launched, launch
from minirt.linux import cgroups

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from bench.subject import Run
    from bench.subjects.place import Place


class Bubblewrap:
    """bwrap with all namespaces, on the tree read-only."""

    name, label, family = "bwrap", "bubblewrap", CONTAINER
    network = NONE

    def __init__(self, place: Place) -> None:
        self.place = place

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def absent(self) -> str:
        return "" if shutil.which("bwrap") else "bubblewrap is not installed"

    def note(self) -> str:
        return (
            "no cgroup, no filter, no masked paths, no capabilities at all; the root is read-only"
        )

    def run(self, argv: Sequence[str]) -> Run:
        return process.run(self.command(argv))

    def launch(self, argv: Sequence[str]) -> Launched:
        return launch(self.command(argv))

    def command(self, argv: Sequence[str]) -> list[str]:
        own = ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/run"]
        rights = ["--cap-drop", "ALL", "--die-with-parent"]
        tree = ["--ro-bind", self.place.tree, "/"]
        return ["bwrap", "--unshare-all", "--hostname", "bench", *rights, *tree, *own, "--", *argv]


class Lxc:
    """lxc-execute: one program, below LXC's own small init."""

    name, label, family = "lxc", "LXC", CONTAINER
    network = NONE

    def __init__(self, place: Place) -> None:
        self.place = place
        self._numbers = itertools.count()

    def absent(self) -> str:
        if shutil.which("lxc-execute") is None:
            return "LXC is not installed"
        return "" if os.geteuid() == 0 else "LXC needs root with this configuration"

    def note(self) -> str:
        return "an init of its own above the program; no filter; the root is read-only"

    def __enter__(self) -> Self:
        self._directory = self.place.directory(self.name)
        lines = [
            f"lxc.rootfs.path = dir:{self.place.tree}",
            "lxc.rootfs.options = ro",
            "lxc.net.0.type = empty",
            "lxc.uts.name = bench",
            "lxc.mount.auto = proc:mixed sys:ro",
            "lxc.autodev = 1",
            "lxc.pty.max = 1",
        ]
        (self._directory / "config").write_text("\n".join([*lines, ""]), encoding="utf-8")
        self._before = pivots()
        return self

    def __exit__(self, *_: object) -> None:
        for group in pivots() - self._before:
            os.rmdir(group)

    def run(self, argv: Sequence[str]) -> Run:
        return process.run(self.command(argv)[0])

    def launch(self, argv: Sequence[str]) -> Launched:
        command, name = self.command(argv)
        return launch(command, undo=lambda: self._stop(name))

    def command(self, argv: Sequence[str]) -> tuple[list[str], str]:
        """How to execute `argv` in a new container, and the container's name."""
        name = f"minirt-bench-{os.getpid()}-{next(self._numbers)}"
        directory = str(self._directory)
        where = ["--name", name, "--lxcpath", directory, "--rcfile", f"{directory}/config"]
        return ["lxc-execute", *where, "--", *argv], name

    def _stop(self, name: str) -> None:
        where = ["--name", name, "--lxcpath", str(self._directory)]
        subprocess.run(["lxc-stop", "--kill", *where], capture_output=True, check=False)


def pivots() -> set[str]:
    """The cgroups where LXC's monitor waits for a container's end; LXC leaves them behind."""
    directories = {f"{each.mountpoint}/lxc.pivot" for each in cgroups.hierarchies()}
    return {directory for directory in directories if os.path.isdir(directory)}
