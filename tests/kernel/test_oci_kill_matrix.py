"""A detached create, start and delete are killed at every moment; nothing stays of any of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from oci import Runtime

from minirt import gc
from minirt.linux import cgroups
from minirt.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERRUPTED = [sys.executable, "-I", str(Path(__file__).with_name("interrupted.py"))]
SIGKILL = 9
NAME = "killed"


class Killed(Runtime):
    """A runtime whose calls are killed at a moment."""

    def at(self, moment: str, *words: str) -> subprocess.CompletedProcess[str]:
        (self.bundle / "config.json").write_text(json.dumps(self.config))
        argv = [*INTERRUPTED, moment, str(SIGKILL), "oci", "--root", str(self.root), *words]
        with (self.bundle / "log").open("w") as log:
            return subprocess.run(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, text=True, check=False,
                cwd=self.bundle, timeout=30,
            )  # fmt: skip

    def await_init(self) -> None:
        """Until what was just cloned has let go of the lock, a collector leaves all alone."""
        state = State(str(self.root), NAME)
        state.lock(wait=True)
        state.unlock()

    def processes(self) -> list[str]:
        """Those that have this runtime's output."""
        found = []
        for directory in Path("/proc").glob("[0-9]*"):
            try:
                output = os.readlink(directory / "fd/1")
            except OSError:  # it has ended
                continue
            found += [directory.name] if output == str(self.bundle / "log") else []
        return found

    def left(self) -> list[str]:
        found = [f"state {name}" for name in os.listdir(self.root)]
        directories = [f"{h.mountpoint}{self.cgroup(NAME)}" for h in cgroups.hierarchies()]
        return found + [d for d in directories if os.path.exists(d)]


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Killed]:
    made = Killed(tmp_path, "sleep", "60")
    yield made
    made.must("delete", "--force", NAME)


def every_moment(runtime: Killed, log: Path, *words: str) -> list[str]:
    """What happens on the way of a call that is not killed."""
    assert runtime.at(f"list:{log}", *words).returncode == 0
    moments = log.read_text().splitlines()
    log.unlink()
    return [moment for moment in moments if moment.startswith(("end:", "save:"))]


@pytest.fixture
def creation(runtime: Killed, tmp_path: Path) -> list[str]:
    """The moments of a create."""
    found = every_moment(runtime, tmp_path / "moments", "create", NAME)
    runtime.must("delete", "--force", NAME)
    assert {"end:cgroup.prepare", "end:clone3", "end:cgroup.enter", "end:pivot.seal"} <= set(found)
    assert found[-1].startswith("save:")
    return found


def test_what_a_killed_create_left_is_deleted_by_force(
    runtime: Killed, creation: list[str]
) -> None:
    for moment in creation:
        assert runtime.at(moment, "create", NAME).returncode == -SIGKILL, moment
        runtime.must("delete", "--force", NAME)
        assert runtime.left() == [], moment


def test_a_killed_create_without_a_cgroup_leaves_no_process(runtime: Killed) -> None:
    """Nothing but init's own watch over its runtime ends it then."""
    for moment in "save:2", "end:capabilities.seal", "end:pivot.seal":
        words = ("--cgroup-manager", "disabled", "create", NAME)
        assert runtime.at(moment, *words).returncode == -SIGKILL, moment
        runtime.must("delete", "--force", NAME)
        deadline = time.monotonic() + 10
        while runtime.processes():
            assert time.monotonic() < deadline, moment


def test_what_a_killed_create_left_is_collected(runtime: Killed, creation: list[str]) -> None:
    warnings: list[str] = []
    for moment in creation:
        assert runtime.at(moment, "create", NAME).returncode == -SIGKILL, moment
        runtime.await_init()
        assert gc.collect(str(runtime.root), warnings.append) == [NAME], moment
        assert runtime.left() == [], moment
    assert warnings == []


@pytest.mark.parametrize("words", [("start",), ("delete", "--force")])
def test_what_a_killed_start_or_delete_left_is_deleted(
    runtime: Killed, tmp_path: Path, words: tuple[str, ...]
) -> None:
    runtime.create(NAME, runtime.bundle / "output")
    moments = every_moment(runtime, tmp_path / "moments", *words, NAME)
    runtime.must("delete", "--force", NAME)
    assert moments
    for moment in moments:
        runtime.create(NAME, runtime.bundle / "output")
        assert runtime.at(moment, *words, NAME).returncode == -SIGKILL, moment
        runtime.must("delete", "--force", NAME)
        assert runtime.left() == [], moment


@pytest.mark.parametrize("made", [(), ("lock",)])
def test_a_directory_that_create_has_only_begun_is_deleted(
    runtime: Killed, made: tuple[str, ...]
) -> None:
    directory = runtime.root / NAME
    directory.mkdir(parents=True)
    for name in made:
        (directory / name).touch()
    runtime.must("delete", "--force", NAME)
    assert runtime.left() == []
