"""pause, resume, update, kill --all, list, delete --force: what is done to a whole container."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from oci import PROGRAM, Runtime
from oci_cgroups import Groups

from minirt.linux import cgroupfs, cgroups, freezer
from minirt.linux.process import pidfd_open

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 1 << 20
COUNTING = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done"


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    made = Runtime(tmp_path, "sh", "-c", COUNTING)
    made.config["linux"]["resources"] = {"memory": {"limit": 64 * MIB}, "pids": {"limit": 20}}
    yield made
    made.must("delete", "--force", "c1")
    assert os.listdir(made.root) == []


@pytest.fixture
def pid(runtime: Runtime, tmp_path: Path) -> int:
    """The init of a running container c1."""
    found = runtime.create("c1", tmp_path / "output")
    runtime.must("start", "c1")
    return found


def ends(pid: int) -> bool:
    fd = pidfd_open(pid)
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    ended = bool(poll.poll(10_000))
    os.close(fd)
    return ended


def grows(path: Path) -> bool:
    """Whether more is written to `path` within half a second."""
    before = path.stat().st_size
    select.select([], [], [], 0.5)
    return path.stat().st_size > before


def test_a_paused_container_does_nothing_and_a_resumed_one_goes_on(
    runtime: Runtime, pid: int, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    assert grows(output)
    assert runtime.must("pause", "c1") == ""
    assert runtime.state("c1") == {**runtime.state("c1"), "status": "paused", "pid": pid}
    assert not grows(output)
    assert "not running" in runtime.call("pause", "c1").stderr
    runtime.must("resume", "c1")
    assert runtime.state("c1")["status"] == "running"
    assert grows(output)
    assert "container not paused" in runtime.call("resume", "c1").stderr


def test_what_a_cgroup_above_keeps_still_is_said_not_to_have_been_resumed(
    runtime: Runtime, tmp_path: Path
) -> None:
    name = f"minirt-test-{os.getpid()}"
    runtime.config["linux"]["cgroupsPath"] = f"/{name}/c1"
    pid = runtime.create("c1", tmp_path / "output")
    runtime.must("start", "c1")
    own = freezer.place(list(map(str, Groups(pid).directories())))
    above = os.path.dirname(own)
    runtime.must("pause", "c1")
    freezer.freeze(above)
    try:
        refused = runtime.call("resume", "c1")
        assert refused.returncode == 1
        assert f"stays paused: a cgroup above {own} is frozen" in refused.stderr
    finally:
        freezer.thaw(above)
    runtime.must("delete", "--force", "c1")
    cgroupfs.remove([str(h.directory(f"/{name}")) for h in cgroups.hierarchies()])


def test_a_created_container_can_be_paused_and_is_created_again(
    runtime: Runtime, tmp_path: Path
) -> None:
    runtime.create("c1", tmp_path / "output")
    runtime.must("pause", "c1")
    assert runtime.state("c1")["status"] == "paused"
    assert "paused" in runtime.call("start", "c1").stderr
    runtime.must("resume", "c1")
    assert runtime.state("c1")["status"] == "created"
    runtime.must("start", "c1")


@pytest.mark.parametrize("words", [("kill", "c1", "9"), ("kill", "--all", "c1", "KILL")])
def test_a_paused_container_can_be_killed(runtime: Runtime, pid: int, words: list[str]) -> None:
    runtime.must("pause", "c1")
    runtime.must(*words)
    assert ends(pid)
    assert runtime.state("c1")["status"] == "stopped"


def test_a_signal_to_a_paused_container_waits(runtime: Runtime, pid: int) -> None:
    runtime.must("pause", "c1")
    runtime.must("kill", "--all", "c1", "USR1")
    assert runtime.state("c1")["status"] == "paused"
    assert runtime.state("c1")["pid"] == pid


def test_a_paused_container_can_be_deleted_with_force_alone(runtime: Runtime, pid: int) -> None:
    directories = Groups(pid).directories()
    runtime.must("pause", "c1")
    refused = runtime.call("delete", "c1")
    assert refused.returncode == 1
    assert "paused" in refused.stderr
    runtime.must("delete", "--force", "c1")
    assert not [d for d in directories if d.exists()]


def test_a_frozen_cgroup_is_refused_at_once(runtime: Runtime) -> None:
    """Whoever entered it would stand still, and the runtime with it."""
    found = cgroups.hierarchies()
    hierarchy = cgroups.holder(found, "freezer") or found[0]
    parent = f"{hierarchy.mountpoint}/minirt-frozen-{os.getpid()}"
    os.mkdir(parent)
    try:
        freezer.freeze(parent)
        runtime.config["linux"]["cgroupsPath"] = f"/{os.path.basename(parent)}/inside"
        refused = runtime.call("create", "c1", timeout=20)
        assert refused.returncode == 1
        assert "frozen" in refused.stderr
        assert os.listdir(runtime.root) == []
        assert not os.path.exists(f"{parent}/inside")
    finally:
        for other in found:
            cgroupfs.remove([f"{other.mountpoint}/{os.path.basename(parent)}"])


def test_a_frozen_cgroup_of_somebody_elses_stays_as_it_was(runtime: Runtime) -> None:
    found = cgroups.hierarchies()
    hierarchy = cgroups.holder(found, "freezer") or found[0]
    path = f"/minirt-theirs-{os.getpid()}"
    theirs = f"{hierarchy.mountpoint}{path}"
    os.mkdir(theirs)
    try:
        freezer.freeze(theirs)
        runtime.config["linux"]["cgroupsPath"] = path
        for _ in range(2):
            assert "frozen" in runtime.call("create", "c1", timeout=20).stderr
            assert freezer.frozen(theirs)
    finally:
        freezer.thaw(theirs)
        cgroupfs.remove([f"{other.mountpoint}{path}" for other in found])


def test_delete_gives_up_on_an_init_that_somebody_else_has_frozen(
    runtime: Runtime, tmp_path: Path
) -> None:
    hierarchy = cgroups.holder(cgroups.hierarchies(), "freezer")
    if hierarchy is None:
        pytest.skip("on version 2 who is frozen can be killed")
    init = runtime.start("c1", tmp_path / "output")
    theirs = Path(f"{hierarchy.mountpoint}/minirt-theirs-{os.getpid()}")
    theirs.mkdir()
    try:
        (theirs / "cgroup.procs").write_text(str(init))
        freezer.freeze(str(theirs))
        said = runtime.call("delete", "--force", "c1")
        assert said.returncode == 1
        assert f"process {init} does not end" in said.stderr
    finally:
        freezer.thaw(str(theirs))
        assert ends(init)
        theirs.rmdir()
    runtime.must("delete", "--force", "c1")


def test_the_cgroup_that_nobody_named_has_the_containers_id(
    runtime: Runtime, tmp_path: Path
) -> None:
    groups = Groups(runtime.create("c1", tmp_path / "output"))
    directory = groups.directory("pids")
    assert directory.name == "c1"
    runtime.must("delete", "--force", "c1")
    assert not directory.parent.exists()


def test_signal_0_asks_whether_there_is_somebody(runtime: Runtime, tmp_path: Path) -> None:
    init = runtime.start("c1", tmp_path / "output")
    runtime.must("kill", "c1", "0")
    assert runtime.state("c1")["status"] == "running"
    runtime.must("kill", "c1", "KILL")
    assert ends(init)
    assert "container not running" in runtime.call("kill", "c1", "0").stderr
    runtime.must("kill", "--all", "c1", "0")
    assert "unknown signal" in runtime.call("kill", "c1", "_IGN").stderr
    runtime.must("delete", "c1")


def test_kill_all_reaches_what_init_left_behind(runtime: Runtime, tmp_path: Path) -> None:
    """In the pid namespace of the host the others outlive init."""
    linux = runtime.config["linux"]
    linux["namespaces"] = [n for n in linux["namespaces"] if n["type"] != "pid"]
    runtime.config["process"]["args"] = ["sh", "-c", "sleep 60 & sleep 60 & echo $!"]
    init = runtime.create("c1", tmp_path / "output")
    groups = Groups(init)
    runtime.must("start", "c1")
    assert ends(init)
    left = (groups.directory("pids") / "cgroup.procs").read_text().split()
    assert len(left) == 2
    assert runtime.state("c1")["status"] == "stopped"
    assert "container not running" in runtime.call("kill", "c1", "9").stderr
    runtime.must("kill", "--all", "c1", "9")
    assert all(ends(int(pid)) for pid in left)
    runtime.must("kill", "--all", "c1", "9")


def test_kill_all_reaches_those_that_fork_all_the_time(runtime: Runtime, tmp_path: Path) -> None:
    linux = runtime.config["linux"]
    linux["namespaces"] = [n for n in linux["namespaces"] if n["type"] != "pid"]
    bomb = "b() { while :; do (:) & done; }; b & b & echo; wait"
    runtime.config["process"]["args"] = ["sh", "-c", bomb]
    groups = Groups(runtime.create("c1", tmp_path / "output"))
    runtime.must("start", "c1")
    runtime.must("kill", "--all", "c1", "9")
    procs = groups.directory("pids") / "cgroup.procs"
    assert all(ends(int(pid)) for pid in procs.read_text().split())
    assert procs.read_text() == ""


def update(runtime: Runtime, *words: str) -> None:
    assert runtime.must("update", "c1", *words) == ""


def test_limits_change_while_it_runs(runtime: Runtime, pid: int) -> None:
    groups = Groups(pid)
    update(runtime, "--memory", "32M", "--memory-reservation=16m", "--pids-limit", "11")
    assert groups.read("memory", "memory.limit_in_bytes", "memory.max") == str(32 * MIB)
    assert groups.read("memory", "memory.soft_limit_in_bytes", "memory.low") == str(16 * MIB)
    assert groups.read("pids", "pids.max", "pids.max") == "11"
    update(runtime, "--cpu-quota", "20000", "--cpu-share", "512", "--cpuset-cpus", "0")
    update(runtime, "--cpu-period", "50000")
    if groups.version("cpu") == 1:
        assert groups.read("cpu", "cpu.cfs_quota_us", "") == "20000"
        assert groups.read("cpu", "cpu.cfs_period_us", "") == "50000"
        assert groups.read("cpu", "cpu.shares", "") == "512"
    else:
        assert groups.read("cpu", "", "cpu.max") == "20000 50000"
        assert groups.read("cpu", "", "cpu.weight") == "59"
    assert groups.read("cpuset", "cpuset.cpus", "cpuset.cpus") == "0"
    update(runtime, "--pids-limit", "-1", "--cpu-quota", "-1")
    assert groups.read("pids", "pids.max", "pids.max") == "max"


def test_memory_goes_up_and_down_together_with_swap(runtime: Runtime, pid: int) -> None:
    groups = Groups(pid)
    for limit, swap in ((30, 50), (60, 80), (20, 20)):
        update(runtime, "--memory", f"{limit}M", "--memory-swap", f"{swap}M")
        limit_now = groups.read("memory", "memory.limit_in_bytes", "memory.max")
        assert limit_now == str(limit * MIB)
    update(runtime, "--memory", "-1")
    assert groups.read("memory", "memory.limit_in_bytes", "memory.max") in (
        "max",
        "9223372036854771712",
    )


def test_limits_come_from_a_file_or_from_stdin(runtime: Runtime, pid: int, tmp_path: Path) -> None:
    groups = Groups(pid)
    file = tmp_path / "resources.json"
    for number, words in enumerate((("--resources", str(file)), (f"--resources={file}",))):
        file.write_text(json.dumps({"pids": {"limit": 30 + number}, "memory": {"limit": 0}}))
        update(runtime, *words)
        assert groups.read("pids", "pids.max", "pids.max") == str(30 + number)
    for number, words in enumerate((("--resources", "-"), ("--resources=-",), ("-r", "-"))):
        document = json.dumps({"pids": {"limit": 40 + number}})
        runtime.must("update", *words, "c1", stdin=None, input=document)
        assert groups.read("pids", "pids.max", "pids.max") == str(40 + number)


def test_a_change_is_recorded_and_the_next_builds_on_it(runtime: Runtime, pid: int) -> None:
    update(runtime, "--pids-limit", "11")
    update(runtime, "--memory", "48m")
    recorded = json.loads((runtime.root / "c1" / "config.json").read_text())
    resources = recorded["linux"]["resources"]
    assert resources["pids"]["limit"] == 11
    assert resources["memory"]["limit"] == 48 * MIB
    assert pid


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--memory", "lots"), "--memory"),
        (("--pids-limit", "x"), "--pids-limit"),
        (("--cpuset-cpus", "4096"), "/linux/resources/cpu/cpus"),
        (("--blkio-weight", "5"), "/linux/resources/blockIO/weight"),
        (("--cpu-period", "3"), "/linux/resources/cpu/"),
        ((), "nothing to change"),
    ],
)
def test_a_wrong_change_is_named_and_changes_nothing(
    runtime: Runtime, pid: int, words: tuple[str, ...], said: str
) -> None:
    before = (runtime.root / "c1" / "config.json").read_text()
    refused = runtime.call("update", *words, "c1")
    assert refused.returncode == 1
    assert said in refused.stderr
    assert (runtime.root / "c1" / "config.json").read_text() == before
    assert runtime.state("c1")["pid"] == pid


def test_a_stopped_container_cannot_be_changed_or_paused(runtime: Runtime, pid: int) -> None:
    runtime.must("kill", "c1", "9")
    assert ends(pid)
    for words in (("update", "--pids-limit", "5", "c1"), ("pause", "c1"), ("resume", "c1")):
        assert runtime.call(*words).returncode == 1


def test_list_shows_all_containers(runtime: Runtime, pid: int, tmp_path: Path) -> None:
    runtime.create("c2", tmp_path / "other")
    assert runtime.must("list", "-q") == "c1\nc2\n"
    first, second = json.loads(runtime.must("list", "--format", "json"))
    assert (first["id"], first["status"], first["pid"]) == ("c1", "running", pid)
    assert (second["id"], second["status"]) == ("c2", "created")
    assert first["bundle"] == str(runtime.bundle)
    head, line, _ = runtime.must("list").splitlines()
    assert head.split() == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]
    assert line.split()[:3] == ["c1", str(pid), "running"]
    runtime.must("delete", "--force", "c2")
    assert runtime.call("list", "--format", "xml").returncode == 1


def test_list_of_nothing_is_empty(runtime: Runtime) -> None:
    runtime.must("delete", "--force", "c1")
    assert json.loads(runtime.must("list", "-f", "json")) == []
    assert runtime.must("list", "-q") == ""
    runtime.root.mkdir(exist_ok=True)


def test_a_container_in_the_foreground_can_be_paused_and_deleted(runtime: Runtime) -> None:
    runtime.config["process"]["args"] = ["sh", "-c", "echo ready; exec sleep 60"]
    (runtime.bundle / "config.json").write_text(json.dumps(runtime.config))
    words = [*PROGRAM, "--root", str(runtime.root), "run", "--bundle", str(runtime.bundle), "c1"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        runtime.must("pause", "c1")
        assert runtime.state("c1")["status"] == "paused"
        runtime.must("delete", "--force", "c1")
        assert running.wait(10) == 128 + 9


def test_without_a_process_a_container_is_created_but_not_started(
    runtime: Runtime, tmp_path: Path
) -> None:
    del runtime.config["process"]
    runtime.create("c1", tmp_path / "out")
    assert "/process: is missing" in runtime.refusal("start", "c1")
    assert runtime.state("c1")["status"] == "created"
    runtime.must("delete", "c1")


# As a service manager that starts things and never waits for them.
CARELESS = """
import ctypes, subprocess, sys, time
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
subprocess.run(sys.argv[1:], check=True)
print("ready", flush=True)
time.sleep(1000)
"""


@pytest.mark.timeout(60)
def test_delete_does_not_wait_for_who_does_not_reap(runtime: Runtime, tmp_path: Path) -> None:
    """Init of a pid namespace ends when the last zombie in it is reaped (pid_namespaces(7))."""
    runtime.start("c1", tmp_path / "out")
    words = (*runtime.program, "--root", str(runtime.root), "exec", "--detach", "c1", "sleep", "99")
    argv = [sys.executable, "-c", CARELESS, *words]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as careless:
        assert careless.stdout is not None
        try:
            assert careless.stdout.readline() == "ready\n"
            runtime.must("delete", "--force", "c1", timeout=20)
            assert os.listdir(runtime.root) == []
        finally:
            careless.kill()
