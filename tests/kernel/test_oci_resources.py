"""linux.cgroupsPath and linux.resources, as files of the container's cgroups (config-linux.md)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from oci import Runtime
from oci_cgroups import Groups

from minirt.linux import cgroupfs, cgroups

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIB = 1 << 20
NAME = f"minirt-test-{os.getpid()}"
PROCESSOR = "0"


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    made = Runtime(tmp_path, "sleep", "60")
    yield made
    made.must("delete", "--force", "c1")


def limited(runtime: Runtime, **resources: Any) -> None:
    runtime.config["linux"]["resources"] = resources


def created(runtime: Runtime, tmp_path: Path) -> Groups:
    return Groups(runtime.create("c1", tmp_path / "output"))


def test_it_is_in_every_hierarchy_at_the_path_that_was_asked_for(
    runtime: Runtime, tmp_path: Path
) -> None:
    runtime.config["linux"]["cgroupsPath"] = f"/{NAME}/c1"
    groups = created(runtime, tmp_path)
    assert set(groups.paths.values()) == {f"/{NAME}/c1"}
    directories = groups.directories()
    assert len(directories) == len(cgroups.hierarchies())
    runtime.must("delete", "c1")
    assert not [d for d in directories if d.exists()]
    for directory in directories:
        directory.parent.rmdir()


def test_a_relative_path_is_below_the_runtimes_own_cgroup(runtime: Runtime, tmp_path: Path) -> None:
    hierarchy = cgroups.holder(cgroups.hierarchies(), "pids")
    assert hierarchy is not None
    own = f"{hierarchy.mountpoint}/{NAME}"
    os.mkdir(own)
    try:
        runtime.config["linux"]["cgroupsPath"] = "inner"
        pid_file = runtime.bundle / "pid"
        with (tmp_path / "output").open("w") as file:
            runtime.must(
                "create", "--pid-file", str(pid_file), "c1",
                capture_output=False, stdout=file, stderr=file, preexec_fn=lambda: enter(own),
            )  # fmt: skip
        directory = Groups(int(pid_file.read_text())).directory("pids")
        assert str(directory) == f"{own}/inner"
        runtime.must("delete", "--force", "c1")
        assert not directory.exists()
    finally:
        cgroupfs.remove([own])


def enter(directory: str) -> None:
    with open(f"{directory}/cgroup.procs", "w") as procs:
        procs.write("0")


def test_without_a_path_it_has_one_of_its_own(runtime: Runtime, tmp_path: Path) -> None:
    groups = created(runtime, tmp_path)
    assert set(groups.paths.values()) == {runtime.cgroup("c1")}


def test_what_was_there_before_is_used_and_left(runtime: Runtime, tmp_path: Path) -> None:
    path = cgroups.holder(cgroups.hierarchies(), "pids")
    assert path is not None
    directory = f"{path.mountpoint}/{NAME}"
    os.mkdir(directory)
    try:
        runtime.config["linux"]["cgroupsPath"] = f"/{NAME}"
        limited(runtime, pids={"limit": 17})
        assert str(created(runtime, tmp_path).directory("pids")) == directory
        runtime.must("delete", "--force", "c1")
        assert os.path.isdir(directory)
    finally:
        os.rmdir(directory)


def test_what_was_there_without_processors_gets_those_above(
    runtime: Runtime, tmp_path: Path
) -> None:
    """Nobody could enter it otherwise: a cpuset of version 1 begins empty."""
    hierarchy = cgroups.holder(cgroups.hierarchies(), "cpuset")
    assert hierarchy is not None
    directory = f"{hierarchy.mountpoint}/{NAME}"
    os.mkdir(directory)
    try:
        runtime.config["linux"]["cgroupsPath"] = f"/{NAME}"
        groups = created(runtime, tmp_path)
        assert str(groups.directory("cpuset")) == directory
        if groups.version("cpuset") == 1:
            below = f"{directory}/below"
            os.mkdir(below)  # and this one stays empty
            said = runtime.refusal("exec", "--cgroup", "cpuset:below", "c1", "true")
            assert "fill its cpuset.cpus and cpuset.mems first" in said
            os.rmdir(below)
        runtime.must("delete", "--force", "c1")
    finally:
        os.rmdir(directory)


def test_a_cgroup_with_processes_is_refused(runtime: Runtime, tmp_path: Path) -> None:
    runtime.config["linux"]["cgroupsPath"] = f"/minirt/{NAME}"
    groups = created(runtime, tmp_path)
    refused = runtime.call("create", "c2")
    assert refused.returncode == 1
    assert "container's cgroup is not empty" in refused.stderr
    assert groups.directory("pids").is_dir()


def test_processor_limits(runtime: Runtime, tmp_path: Path) -> None:
    limited(runtime, cpu={"shares": 512, "quota": 50_000, "period": 200_000, "cpus": PROCESSOR})
    groups = created(runtime, tmp_path)
    if groups.version("cpu") == 1:
        assert groups.read("cpu", "cpu.shares", "") == "512"
        assert groups.read("cpu", "cpu.cfs_quota_us", "") == "50000"
        assert groups.read("cpu", "cpu.cfs_period_us", "") == "200000"
    else:
        assert groups.read("cpu", "", "cpu.weight") == "59"
        assert groups.read("cpu", "", "cpu.max") == "50000 200000"
    assert groups.read("cpuset", "cpuset.cpus", "cpuset.cpus") == PROCESSOR


def test_zero_is_left_alone(runtime: Runtime, tmp_path: Path) -> None:
    usual = {"cpu": {"shares": 0, "quota": 0, "period": 0}, "blockIO": {"weight": 0}}
    limited(runtime, **usual, memory={"swap": 0, "limit": 0}, pids={"limit": 0})
    groups = created(runtime, tmp_path)
    assert groups.read("cpu", "cpu.shares", "cpu.weight") in ("1024", "100")
    assert groups.read("pids", "pids.max", "pids.max") == "max"


def test_memory_limits(runtime: Runtime, tmp_path: Path) -> None:
    memory = {"limit": 64 * MIB, "swap": 96 * MIB, "reservation": 32 * MIB, "kernel": 8 * MIB}
    limited(runtime, memory=memory)
    groups = created(runtime, tmp_path)
    assert groups.read("memory", "memory.limit_in_bytes", "memory.max") == str(64 * MIB)
    assert groups.read("memory", "memory.soft_limit_in_bytes", "memory.low") == str(32 * MIB)
    swap = groups.directory("memory") / "memory.memsw.limit_in_bytes"
    if groups.version("memory") == 2:
        swap = groups.directory("memory") / "memory.swap.max"
    if swap.exists():
        wanted = 96 * MIB if groups.version("memory") == 1 else 32 * MIB
        assert swap.read_text().strip() == str(wanted)


def test_what_only_version_1_can_do_is_done_there_and_refused_elsewhere(
    runtime: Runtime, tmp_path: Path
) -> None:
    limited(runtime, memory={"swappiness": 50, "disableOOMKiller": True, "useHierarchy": True})
    if cgroups.holder(cgroups.hierarchies(), "memory").version == 2:  # type: ignore[union-attr]
        refused = runtime.call("create", "c1")
        assert "/linux/resources/memory/swappiness" in refused.stderr
        return
    groups = created(runtime, tmp_path)
    assert groups.read("memory", "memory.swappiness", "") == "50"
    assert groups.read("memory", "memory.oom_control", "").startswith("oom_kill_disable 1")


def test_the_number_of_processes(runtime: Runtime, tmp_path: Path) -> None:
    limited(runtime, pids={"limit": 17})
    assert created(runtime, tmp_path).read("pids", "pids.max", "pids.max") == "17"


@pytest.mark.parametrize(
    ("resources", "pointer"),
    [
        ({"cpu": {"period": 1}}, "/linux/resources/cpu/"),
        ({"cpu": {"cpus": "4096"}}, "/linux/resources/cpu/cpus"),
        ({"memory": {"limit": -5}}, "/linux/resources/memory/limit"),
        ({"memory": {"limit": 8 * MIB, "swap": 4 * MIB}}, "/linux/resources/memory/swap"),
        ({"memory": {"swappiness": 101}}, "/linux/resources/memory/swappiness"),
        ({"blockIO": {"weight": 5}}, "/linux/resources/blockIO/weight"),
        ({"pids": {"limit": "many"}}, "/linux/resources/pids/limit"),
        ({"hugepageLimits": [{"pageSize": "2", "limit": 0}]}, "/linux/resources/hugepageLimits/0"),
        ({"devices": [{"allow": True, "type": "x"}]}, "/linux/resources/devices/0/type"),
        ({"devices": [{"allow": True, "access": "rx"}]}, "/linux/resources/devices/0/access"),
        ({"unified": {"nothing.of_the_kind": "1"}}, "nothing"),
    ],
)
def test_a_wrong_value_is_named_and_leaves_nothing(
    runtime: Runtime, resources: dict[str, Any], pointer: str
) -> None:
    limited(runtime, **resources)
    refused = runtime.call("create", "c1")
    assert refused.returncode == 1
    assert pointer in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not runtime.root.exists() or os.listdir(runtime.root) == []


def test_what_the_kernel_refuses_names_the_file(runtime: Runtime) -> None:
    limited(runtime, cpu={"period": 1})
    refused = runtime.call("create", "c1")
    version = cgroups.holder(cgroups.hierarchies(), "cpu")
    assert version is not None
    assert ("cpu.cfs_period_us" if version.version == 1 else "cpu.max") in refused.stderr


PROBE = """
try() { sh -c "$2" 2>/dev/null && echo "$1 yes" || echo "$1 no"; }
mknod /dev/fuse c 10 229; mknod /dev/kmsg c 1 11; mknod /dev/null c 1 3
try null ': > /dev/null'; try fuse ': < /dev/fuse'
try read ': < /dev/kmsg'; try write ': > /dev/kmsg'
"""


def probe(runtime: Runtime, *rules: dict[str, Any]) -> set[str]:
    runtime.config["process"]["args"] = ["sh", "-c", PROBE]
    caps = ["CAP_MKNOD", "CAP_SYSLOG"]
    runtime.config["process"]["capabilities"] = dict.fromkeys(
        ("bounding", "effective", "permitted"), caps
    )
    limited(runtime, devices=list(rules))
    return set(runtime.must("run", "c1").splitlines())


NOTHING = {"allow": False, "access": "rwm"}
KMSG = {"type": "c", "major": 1, "minor": 11}


def test_without_rules_only_the_harmless_devices_can_be_opened(runtime: Runtime) -> None:
    assert probe(runtime) == {"null yes", "fuse no", "read no", "write no"}


def test_what_a_rule_allows_can_be_opened_for_that_alone(runtime: Runtime) -> None:
    seen = probe(runtime, NOTHING, {"allow": True, **KMSG, "access": "r"})
    assert seen == {"null yes", "fuse no", "read yes", "write no"}


def test_the_last_rule_that_fits_decides(runtime: Runtime) -> None:
    seen = probe(runtime, {"allow": True, "access": "rwm"}, {"allow": False, **KMSG, "access": "w"})
    assert {"null yes", "read yes", "write no"} <= seen


def test_disabled_cgroups_are_absent(runtime: Runtime, tmp_path: Path) -> None:
    runtime.config["linux"]["cgroupsPath"] = f"/{NAME}"
    before = Groups(os.getpid()).paths
    (runtime.bundle / "pid").unlink(missing_ok=True)
    with (tmp_path / "output").open("w") as file:
        options = ("--cgroup-manager", "disabled", "create", "--pid-file", "pid", "c1")
        runtime.must(*options, capture_output=False, stdout=file, stderr=file)
    assert Groups(int((runtime.bundle / "pid").read_text())).paths == before
    paused = runtime.call("pause", "c1")
    assert "no cgroup" in paused.stderr
