"""Limits hold, counts are true and nothing stays: on whichever cgroup version this machine has."""

from __future__ import annotations

import errno
import glob
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cgroup_driver import drive, report_of, spawn

from minirt.errors import ConfigError, HostError
from minirt.linux import cgroup_members, cgroupfs, cgroups
from minirt.linux.cgroup_events import events
from minirt.mechanisms.cgroup import Cgroup
from minirt.resources import LEAST_MEMORY, from_options

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from minirt.codec import Json

NOBODY = 65534
HELD = ["sh", "-c", "echo ready; exec cat"]
MIB = 1 << 20
EMPTY_DISK = "/dev/empty-disk"


@pytest.fixture
def path() -> Iterator[str]:
    """The beginning of the names of this test's cgroups; all must be gone afterwards."""
    name = f"/minirt/test-{os.getpid()}"
    yield name
    left = [d for h in cgroups.hierarchies() for d in glob.glob(f"{h.mountpoint}{name}*")]
    cgroupfs.remove(left)
    assert not left


def python(program: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", program]


def test_the_process_is_in_every_cgroup_that_was_made(path: str) -> None:
    seen = drive(path=path, resources={}, command=HELD, hold=True)
    assert len(seen["directories"]) == len(cgroups.choose(path, ()))
    for directory in seen["directories"]:
        assert seen["files"][directory]["cgroup.procs"] == str(seen["pid"])


def test_the_namespace_shows_the_own_cgroup_as_root(path: str) -> None:
    seen = drive(path=path, resources={}, command=["cat", "/proc/self/cgroup"])
    made = {h.own for h in cgroups.hierarchies()}
    assert made, "without a hierarchy this proves nothing"
    assert {line.split(":", 2)[2] for line in seen["output"].splitlines()} == {"/"}


def test_directories_are_recorded_before_they_are_made_and_removed_at_the_end(path: str) -> None:
    seen = drive(path=path, resources={}, command=["true"])
    assert seen["directories"]
    assert seen["made_when_recorded"] == []
    assert seen["left"] == []


def test_no_descriptor_reaches_the_program(path: str) -> None:
    seen = drive(path=path, resources={}, command=["ls", "/proc/self/fd"])
    assert seen["output"].split() == ["0", "1", "2", "3"]  # 3 is the directory that ls reads


def test_memory_over_the_limit_is_an_oom_kill(path: str) -> None:
    program = python("bytearray(64 << 20)")
    seen = drive(path=path, resources=from_options(memory="32m"), command=program)
    assert seen["status"] == 128 + signal.SIGKILL
    assert seen["events"]["oom_kills"] == 1
    assert 30 * MIB < seen["events"]["memory_peak"] <= 32 * MIB


def test_memory_under_the_limit_is_left_alone(path: str) -> None:
    program = python("bytearray(16 << 20)")
    seen = drive(path=path, resources=from_options(memory="32m"), command=program)
    assert seen["status"] == 0
    assert seen["events"]["oom_kills"] == 0


def test_the_least_memory_is_enough_to_start(path: str) -> None:
    seen = drive(path=path, resources=from_options(memory=str(LEAST_MEMORY)), command=["true"])
    assert seen["status"] == 0


def test_a_busy_loop_is_throttled_to_its_share(path: str) -> None:
    program = python("import time\nwhile time.process_time() < 0.3: pass")
    seen = drive(path=path, resources=from_options(cpus="0.25"), command=program)
    assert seen["status"] == 0
    assert seen["seconds"] > 0.8  # 0.3 s of CPU time at a quarter of one CPU
    assert seen["events"]["throttled_periods"] >= 8
    assert seen["events"]["throttled_us"] > 400_000


def test_forks_over_the_limit_are_refused(path: str) -> None:
    program = python(
        "import os, time\n"
        "made = 0\n"
        "try:\n"
        "    while os.fork(): made += 1\n"
        "    time.sleep(60)\n"
        "except BlockingIOError: print(made)"
    )
    seen = drive(path=path, resources=from_options(pids="5"), command=program)
    assert seen["output"] == "4\n"
    assert seen["events"]["pids_max_hits"] == 1


def test_disk_writes_are_throttled_to_their_rate(path: str, disk: tuple[str, Json]) -> None:
    target, resources = disk
    writing = ["oflag=direct", "conv=notrunc", "bs=1M", "count=6", "status=none"]
    command = ["dd", "if=/dev/zero", f"of={target}", *writing]
    seen = drive(path=path, resources=resources, command=command)
    assert seen["status"] == 0
    assert seen["seconds"] > 1.0


@pytest.fixture
def disk(playground: Path) -> Iterator[tuple[str, Json]]:
    """What to write to, and the limit on its disk; the guests of vm/harness have an empty one."""
    if os.path.exists(EMPTY_DISK):
        yield EMPTY_DISK, from_options(io_bps=f"{EMPTY_DISK}:4m")
        return
    data = playground / "data"
    try:
        yield str(data), from_options(io_bps="4m", disk_of=str(playground))
    except ConfigError as error:
        pytest.skip(f"no disk to throttle: {error}")
    data.unlink(missing_ok=True)


def test_a_disk_that_is_not_there_is_explained(path: str) -> None:
    throttle = {"major": 240, "minor": 240, "rate": 1 << 20}
    resources = {"blockIO": {"throttleReadBpsDevice": [throttle]}}
    seen = drive(path=path, resources=resources, command=["true"])
    assert seen["error"]["errno"] == errno.ENODEV
    assert "whole disk" in seen["error"]["hint"]
    assert seen["left"] == []


def test_a_further_process_joins_the_cgroups_of_a_running_one(path: str) -> None:
    running = drive(path=path, resources={}, command=["sh", "-c", "sleep 99 &"], keep=True)
    seen = drive(join=running["directories"], command=HELD, hold=True)
    for files in seen["files"].values():
        assert len(files["cgroup.procs"].split()) == 2
        assert str(seen["pid"]) in files["cgroup.procs"].split()
    cgroupfs.remove(running["directories"])


def test_teardown_kills_what_is_left_inside(path: str) -> None:
    resources = from_options(pids="50")
    seen = drive(path=path, resources=resources, command=["sh", "-c", "sleep 99 & sleep 99 &"])
    assert seen["status"] == 0
    assert seen["left"] == []


def test_teardown_ends_a_fork_bomb(path: str) -> None:
    bomb = "b() { while :; do b & sleep 0; done; }; b & exit 0"
    seen = drive(path=path, resources=from_options(pids="40"), command=["sh", "-c", bomb])
    assert seen["left"] == []
    assert "error" not in seen


def test_a_runtime_killed_after_recording_leaves_only_what_it_recorded(path: str) -> None:
    created = report_of(spawn(path=path, resources={}, command=["true"], die=True))
    assert not any(os.path.exists(directory) for directory in created["cgroup"])
    cgroupfs.remove(created["cgroup"])


def test_what_a_dead_runtime_left_running_is_removed_with_its_processes(path: str) -> None:
    seen = drive(path=path, resources={}, command=["sh", "-c", "sleep 99 &"], keep=True)
    assert seen["left"] == seen["directories"]
    pids = cgroup_members.members(seen["directories"][0])
    assert len(pids) == 1
    cgroupfs.remove(seen["directories"])
    assert not any(os.path.exists(directory) for directory in seen["directories"])
    assert not os.path.exists(f"/proc/{pids[0]}/exe")


def test_a_cgroup_in_use_is_refused_and_its_processes_live(path: str) -> None:
    first = drive(path=path, resources={}, command=["sh", "-c", "sleep 99 &"], keep=True)
    second = drive(path=path, resources={}, command=["true"])
    assert second["error"]["class"] == "StateError"
    assert second["directories"] == []
    assert len(cgroup_members.members(first["directories"][0])) == 1
    cgroupfs.remove(first["directories"])


def test_ten_containers_at_once_share_the_parent(path: str) -> None:
    drivers = [spawn(path=f"{path}-{n}", resources={}, command=["true"]) for n in range(10)]
    reports = [report_of(driver) for driver in drivers]
    assert [seen.get("error") for seen in reports] == [None] * 10
    assert all(seen["status"] == 0 and not seen["left"] for seen in reports)


COME_AND_GO = """
import sys
from minirt.context import Context
from minirt.mechanisms.cgroup import Cgroup

for _ in range(50):
    ctx = Context("x", "/", "0")
    cgroup = Cgroup(sys.argv[1], {"pids": {"limit": 9}})
    cgroup.prepare(ctx)
    cgroup.teardown(ctx)
"""


def test_the_shared_parent_may_go_while_another_container_is_made(path: str) -> None:
    argv = [sys.executable, "-I", "-c", COME_AND_GO]
    makers = [subprocess.Popen([*argv, f"{path}-{n}"]) for n in range(4)]
    assert [maker.wait() for maker in makers] == [0] * 4


def test_an_ordinary_user_without_delegation_is_told_what_to_do(path: str) -> None:
    seen = drive(path=path, resources=from_options(memory="64m"), command=["true"], user=NOBODY)
    assert seen["error"]["class"] == "HostError"
    assert "root" in seen["error"]["hint"]
    assert seen["directories"] == []


LITTER = """
import os
from minirt.context import Context
from minirt.errors import HostError
from minirt.linux.mount import mount
from minirt.mechanisms.cgroup import Cgroup

mount("none", "/sys/fs/cgroup", "tmpfs")
os.mkdir("/sys/fs/cgroup/memory")
try:
    Cgroup("/minirt/litter", {}).prepare(Context("litter", "/", "0"))
except HostError as error:
    print(error)
print(os.listdir("/sys/fs/cgroup"), os.listdir("/sys/fs/cgroup/memory"))
"""


def test_a_tmpfs_at_the_usual_place_gets_no_directory() -> None:
    argv = ["unshare", "-m", sys.executable, "-I", "-c", LITTER]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    error, found = done.stdout.splitlines()
    assert error.endswith("no mounted hierarchy has it")
    assert found == "['memory'] []"


def test_the_commands_by_hand_do_the_same(path: str) -> None:
    resources = from_options(cpus="0.5", memory="64m", pids="20")
    script = "\n".join([*Cgroup(path, resources).by_hand(), "exec unshare --cgroup cat"])
    shell = subprocess.Popen(["sh", "-e", "-c", script], stdin=subprocess.PIPE)
    shell.stdin.close()
    assert shell.wait() == 0
    directories = [hierarchy.directory(path) for hierarchy in cgroups.choose(path, ())]
    by_hand = {d: limits_in(d) for d in directories}
    cgroupfs.remove(directories)
    seen = drive(path=path, resources=resources, command=HELD, hold=True)
    assert by_hand == {d: only_limits(files) for d, files in seen["files"].items()}


def limits_in(directory: str) -> dict[str, str]:
    names = (*LIMITS, "cgroup.procs")
    return only_limits({name: cgroupfs.read(directory, name).strip() for name in names})


LIMITS = (
    "cpu.cfs_quota_us", "cpu.max", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes",
    "memory.max", "memory.swap.max", "pids.max",
)  # fmt: skip


def only_limits(files: dict[str, str]) -> dict[str, str]:
    return {name: files[name] for name in LIMITS if files.get(name)}


def test_a_missing_file_is_named_and_nothing_is_created(path: str) -> None:
    resources = {"unified": {"memory.no_such_limit": "1"}}
    seen = drive(path=path, resources=resources, command=["true"])
    assert "memory.no_such_limit" in seen["error"]["what"]
    assert seen["left"] == []


def test_a_controller_that_nothing_holds_is_named(path: str) -> None:
    with pytest.raises(HostError, match="no_such_controller"):
        cgroups.choose(path, ["no_such_controller"])


def test_events_of_a_removed_cgroup_are_empty(path: str) -> None:
    assert events([f"/sys/fs/cgroup{path}"]) == {}
