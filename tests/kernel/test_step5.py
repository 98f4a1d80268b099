"""Step 5: a cgroup of its own with limits that hold."""

from __future__ import annotations

import os
from pathlib import Path

from steps import Running, lines, namespace, run, state_root

from minirt.linux import cgroups

NONE = ("--network", "none")
SHELL = ("--", "/bin/sh", "-c")


def directories(container_id: str) -> list[Path]:
    """The cgroups called /minirt/ID, in every hierarchy that has one."""
    places = (h.directory(f"/minirt/{container_id}") for h in cgroups.hierarchies())
    return [Path(place) for place in places if os.path.exists(place)]


def test_every_process_of_it_is_in_its_cgroups_and_they_go_with_it() -> None:
    with Running(5, *NONE) as container:
        (container_id,) = os.listdir(state_root() / "containers")
        made = directories(container_id)
        assert len(made) >= 1
        for directory in made:
            assert str(container.pid) in (directory / "cgroup.procs").read_text().split()
    assert directories(container_id) == []


def test_the_cgroup_namespace_hides_where_it_is() -> None:
    with Running(5, *NONE) as container:
        assert container.namespace("cgroup") != namespace("self", "cgroup")
    shown = lines(5, *NONE, "--", "cat", "/proc/self/cgroup")
    assert "/" in {line.split(":", 2)[2] for line in shown}
    assert not any("minirt" in line for line in shown)


def test_too_much_memory_is_killed_and_said_to_be() -> None:
    done = run(5, *NONE, "--memory", "32m", *SHELL, "tail /dev/zero; exit $?")
    assert done.returncode == 137
    assert "memory" in done.stderr


def test_too_many_processes_are_refused() -> None:
    script = "for i in 1 2 3 4 5 6 7 8; do sleep 5 & done"
    done = run(5, *NONE, "--pids", "4", *SHELL, script)
    assert done.returncode != 0
    assert "can't fork" in done.stderr


def test_the_share_of_a_processor_is_limited_and_the_waiting_said() -> None:
    script = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"
    done = run(5, *NONE, "--cpus", "0.1", *SHELL, script)
    assert done.returncode == 0
    assert "throttled" in done.stderr


def test_limits_are_those_of_the_whole_container_and_not_of_a_process() -> None:
    script = "dd if=/dev/zero of=/dev/shm/x bs=1M count=30; tail /dev/zero; echo $?"
    assert run(5, *NONE, "--memory", "40m", *SHELL, script).stdout == "137\n"
