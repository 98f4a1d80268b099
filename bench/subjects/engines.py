"""podman and docker: what a person types, from the engine's command to the container's end.

They do more than a runtime: store an image, prepare its layers, keep logs. podman works without a
daemon and gets a store of its own; docker is measured with the daemon that runs here, if one does,
and gets an image, which is removed after the run.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from bench import process
from bench.process import descendants
from bench.subject import CONTAINER, NONE
from bench.subjects.launched import Launched, cgroup_of, launch
from minirt.errors import HostError
from minirt.linux import cgroups

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from bench.subject import Run
    from bench.subjects.place import Place

MINE = f"minirt-bench-{os.getpid()}"
# What every process here may have already: an engine's defaults are more than some machines grant.
LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")
OPTIONS = ("--rm", "--interactive", "--network", "none", "--hostname", "bench", *LIMITS)


class Engine:
    """A program with docker's command line."""

    family, network = CONTAINER, NONE

    def __init__(self, place: Place, name: str) -> None:
        self.place = place
        self.name = self.label = name
        self.program: list[str] = [name]
        self.image: list[str] = []  # the last options before the command
        self._numbers = itertools.count()
        self._open: set[str] = set()

    def absent(self) -> str:
        if shutil.which(self.name) is None:
            return f"{self.name} is not installed"
        return "" if os.geteuid() == 0 else f"{self.name} needs root with this configuration"

    def note(self) -> str:
        return "an engine: client, image store, log and monitor besides the runtime"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for container in list(self._open):
            self.remove(container)

    def run(self, argv: Sequence[str]) -> Run:
        container = self._new()
        try:
            run = process.run(self.command(container, argv))
        except BaseException:
            self.remove(container)
            raise
        self._open.discard(container)
        run.cpu_s = None  # most of the work is not done by children of ours
        return run

    def launch(self, argv: Sequence[str]) -> EngineInstance:
        container = self._new()
        launched = launch(self.command(container, argv), undo=lambda: self.remove(container))
        try:
            return EngineInstance(
                launched, int(self.say("inspect", "-f", "{{.State.Pid}}", container))
            )
        except BaseException:
            launched.__exit__()
            raise

    def command(self, container: str, argv: Sequence[str]) -> list[str]:
        return [*self.program, "run", "--name", container, *OPTIONS, *self.image, *argv]

    def _new(self) -> str:
        container = f"{MINE}-{next(self._numbers)}"
        self._open.add(container)
        return container

    def remove(self, container: str) -> None:
        """Remove what is left of it, if anything is."""
        with contextlib.suppress(HostError):
            self.say("rm", "--force", container)
        self._open.discard(container)

    def say(self, *words: str) -> str:
        """Another of the engine's commands; HostError with its complaint when it fails."""
        done = subprocess.run(
            [*self.program, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, start_new_session=True,
        )  # fmt: skip
        if done.returncode:
            raise HostError(f"{self.name} {words[0]}: {' '.join(done.stderr.split())}")
        return done.stdout.strip()


class EngineInstance:
    """A container whose processes are not below ours: `pid` is its first."""

    def __init__(self, launched: Launched, pid: int) -> None:
        self.address = ""
        self.first = launched.first
        self._launched = launched
        self._pid = pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._launched.__exit__()

    def pids(self) -> list[int]:
        """The client, and what the monitor (conmon, a shim) has below it. Daemons are shared."""
        monitor = parent(self._pid)
        return list(dict.fromkeys([*self._launched.pids(), *descendants(monitor)]))

    def cgroup(self) -> str:
        return cgroup_of([self._pid])

    def line(self, timeout: float) -> tuple[str, int]:
        return self._launched.line(timeout)


def parent(pid: int) -> int:
    """The process that started `pid`."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        return int(stat.read().rpartition(")")[2].split()[1])


class Podman(Engine):
    """podman with a store of its own, the tree as its root below a writable overlay."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, "podman")

    def __enter__(self) -> Self:
        directory = self.place.directory(self.name)
        where = [f"--{name}={directory}/{name}" for name in ("root", "runroot", "tmpdir")]
        runtime = ["--runtime=runc"] if shutil.which("runc") else []
        alone = ["--cgroup-manager=cgroupfs", "--events-backend=none"]
        self.program += [*where, *runtime, *alone]
        self.image = ["--cgroup-parent", f"/{MINE}", "--rootfs", f"{self.place.tree}:O"]
        self._store = str(directory / "root" / "overlay")
        return self

    def __exit__(self, *_error: object) -> None:
        super().__exit__()
        if os.path.ismount(self._store):  # podman makes its store a private mount, and leaves it
            subprocess.run(["umount", self._store], check=False)
        for hierarchy in cgroups.hierarchies():
            for group, _, _ in os.walk(f"{hierarchy.mountpoint}/{MINE}", topdown=False):
                with contextlib.suppress(OSError):  # its last process ends at this moment
                    os.rmdir(group)


class Docker(Engine):
    """docker with the daemon that is there."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, "docker")

    def absent(self) -> str:
        why = super().absent()
        if why:
            return why
        try:
            self.say("version", "--format", "{{.Server.Version}}")
        except HostError as error:
            return error.what
        return ""

    def __enter__(self) -> Self:
        tar = ["tar", "--create", "--directory", self.place.tree, "."]
        with subprocess.Popen(tar, stdout=subprocess.PIPE) as archive:
            loaded = [*self.program, "import", "-", MINE]
            done = subprocess.run(loaded, stdin=archive.stdout, capture_output=True, check=False)
        if done.returncode:
            raise HostError(f"docker import: {done.stderr.decode(errors='replace').strip()}")
        self.image = [MINE]
        return self

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        with contextlib.suppress(HostError):
            self.say("rmi", MINE)
