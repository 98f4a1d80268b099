"""What is abandoned is removed at the next start; what is not, is not; what cannot be, is said."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from steps import PYTHON, Running, containers, run, state_root

from minirt.linux import cgroupfs, cgroups

NONE = ("--network", "none")
INTERRUPTED = [*PYTHON, str(Path(__file__).with_name("interrupted.py"))]


def abandon(*options: str, step: int = 6, moment: str = "end:clone3") -> dict[str, object]:
    """A container whose runtime was killed; its state.json."""
    argv = [*INTERRUPTED, moment, "9", str(step), "--quiet", *options, "--", "true"]
    subprocess.run(argv, check=False, capture_output=True)
    (left,) = containers()
    return left


def ids() -> list[str]:
    directory = state_root() / "containers"
    return sorted(os.listdir(directory)) if directory.exists() else []


def collect() -> str:
    """What a further start says, which also collects."""
    done = run(1, "--", "true")
    assert done.returncode == 0
    return done.stderr


def change(container_id: object, **fields: object) -> None:
    path = state_root() / "containers" / str(container_id) / "state.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_an_abandoned_container_is_removed_by_the_next_start() -> None:
    abandon(*NONE)
    assert collect() == ""
    assert ids() == []


def test_one_that_another_runtime_attends_to_is_left_alone() -> None:
    with Running(3) as container:
        collect()
        assert len(ids()) == 1
        assert container.end() == 0


def test_one_of_another_boot_is_removed_and_nobody_with_its_pid_is_killed() -> None:
    abandon(*NONE)
    with subprocess.Popen(["sleep", "60"]) as stranger:
        (left,) = ids()
        change(
            left, pid=stranger.pid, boot_id="of another boot", foreground=False, status="running"
        )
        assert collect() == ""
        assert ids() == []
        assert stranger.poll() is None
        stranger.kill()


def test_a_process_that_has_the_pid_of_a_dead_init_is_not_killed() -> None:
    left = abandon(*NONE)
    with subprocess.Popen(["sleep", "60"]) as stranger:
        change(left["id"], pid=stranger.pid)  # it started at another time
        assert collect() == ""
        assert stranger.poll() is None
        stranger.kill()


def test_a_detached_container_is_not_collected() -> None:
    """One that was created to run in the background: a person or an engine deletes it."""
    left = abandon(*NONE, moment="save:3")
    change(left["id"], foreground=False, status="created")
    collect()
    assert ids() == [left["id"]]
    change(left["id"], foreground=True)
    collect()


def test_the_record_alone_says_what_is_removed() -> None:
    """A cgroup that is not recorded is somebody else's, whatever its name."""
    (hierarchy, *_) = [h for h in cgroups.hierarchies() if "pids" in h.controllers]
    foreign = hierarchy.directory("/minirt/foreign")
    cgroupfs.make(foreign)
    try:
        abandon(*NONE)
        collect()
        assert os.path.exists(foreign)
    finally:
        cgroupfs.remove([foreign])


@pytest.mark.parametrize("content", ["", "{", "[]", '{"id": 1}', '{"x": 1}'])
def test_a_damaged_record_stops_nobody_from_starting(content: str) -> None:
    left = abandon(*NONE)
    path = state_root() / "containers" / str(left["id"]) / "state.json"
    good = path.read_text()
    path.write_text(content)
    said = collect()
    assert "Traceback" not in said
    assert ids() == [left["id"]]
    path.write_text(good)
    collect()


def test_a_directory_without_a_record_is_removed() -> None:
    directory = state_root() / "containers" / "interrupted"
    directory.mkdir(parents=True)
    collect()
    assert ids() == []
    directory.mkdir()
    (directory / "lock").touch()
    collect()
    assert ids() == []


def test_what_is_no_container_is_left_alone() -> None:
    stranger = state_root() / "containers" / "not a container"
    stranger.mkdir(parents=True)
    collect()
    assert stranger.exists()
    stranger.rmdir()


def test_what_cannot_be_removed_is_said_and_does_not_stop_the_start() -> None:
    left = abandon(*NONE)
    busy = state_root() / "containers" / str(left["id"]) / "rootfs"
    wrapper = ["unshare", "--mount", "sh", "-ec", f'mount -t tmpfs x {busy}; exec "$@"', "sh"]
    done = run(1, "--", "true", wrapper=wrapper)
    assert done.returncode == 0
    assert f"cannot remove what container {left['id']} left" in done.stderr
    collect()
