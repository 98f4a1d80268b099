"""OCI's linux.resources as files of cgroup versions 1 and 2."""

from __future__ import annotations

import pytest

from minirt import limits
from minirt.errors import ConfigError
from minirt.limits.cpu import weight as cpu_weight
from minirt.mechanisms.cgroup import Cgroup

MIB = 1 << 20
THROTTLE = {"major": 254, "minor": 0, "rate": 8 * MIB}
RESOURCES = {
    "cpu": {"quota": 50_000, "period": 100_000, "shares": 512},
    "memory": {"limit": 64 * MIB, "swap": 96 * MIB, "reservation": 32 * MIB},
    "pids": {"limit": 100},
    "blockIO": {"throttleReadBpsDevice": [THROTTLE], "throttleWriteBpsDevice": [THROTTLE]},
}
FILES = {
    1: {
        "cpu": [
            ("cpu.shares", "512"),
            ("cpu.cfs_period_us", "100000"),
            ("cpu.cfs_quota_us", "50000"),
        ],
        "memory": [
            ("memory.limit_in_bytes", str(64 * MIB)),
            ("memory.soft_limit_in_bytes", str(32 * MIB)),
            ("memory.memsw.limit_in_bytes", str(96 * MIB)),
        ],
        "pids": [("pids.max", "100")],
        "io": [
            ("blkio.throttle.read_bps_device", f"254:0 {8 * MIB}"),
            ("blkio.throttle.write_bps_device", f"254:0 {8 * MIB}"),
        ],
    },
    2: {
        "cpu": [("cpu.weight", "59"), ("cpu.max", "50000 100000")],
        "memory": [
            ("memory.max", str(64 * MIB)),
            ("memory.low", str(32 * MIB)),
            ("memory.swap.max", str(32 * MIB)),
        ],
        "pids": [("pids.max", "100")],
        "io": [("io.max", f"254:0 rbps={8 * MIB}"), ("io.max", f"254:0 wbps={8 * MIB}")],
    },
}


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("controller", ["cpu", "memory", "pids", "io"])
def test_each_limit_is_written_to_its_file(version: int, controller: str) -> None:
    assert limits.settings(RESOURCES, controller, version) == FILES[version][controller]


@pytest.mark.parametrize("version", [1, 2])
def test_without_limits_nothing_is_written(version: int) -> None:
    for controller in ("cpu", "memory", "pids", "io"):
        assert limits.settings({}, controller, version) == []
    assert limits.limited({}) == []


def test_minus_one_is_no_limit() -> None:
    resources = {"memory": {"limit": -1, "swap": -1}, "pids": {"limit": -1}, "cpu": {"quota": -1}}
    assert limits.settings(resources, "memory", 2) == [
        ("memory.max", "max"),
        ("memory.swap.max", "max"),
    ]
    assert limits.settings(resources, "pids", 1) == [("pids.max", "max")]
    assert limits.settings(resources, "cpu", 2) == [("cpu.max", "max 100000")]
    assert limits.settings(resources, "memory", 1)[0] == ("memory.limit_in_bytes", "-1")


def test_limited_names_the_controllers_that_are_needed() -> None:
    resources = {"pids": {"limit": 5}, "unified": {"memory.high": "1", "hugetlb.2MB.max": "0"}}
    assert sorted(limits.limited(resources)) == ["hugetlb", "memory", "pids"]


@pytest.mark.parametrize(
    ("shares", "weight"), [(2, 1), (1024, 100), (262_144, 10_000), (0, 1), (1 << 40, 10_000)]
)
def test_shares_become_a_weight_in_the_kernels_range(shares: int, weight: int) -> None:
    assert cpu_weight(shares) == weight


@pytest.mark.parametrize("file", ["../cgroup.procs", "memory", "a/b.c"])
def test_a_unified_file_that_is_no_file_of_a_controller_is_refused(file: str) -> None:
    with pytest.raises(ConfigError, match="is no cgroup file"):
        limits.limited({"unified": {file: "1"}})


def test_a_unified_file_is_refused_where_its_controller_is_of_version_1() -> None:
    resources = {"unified": {"memory.high": "1"}}
    assert limits.settings(resources, "memory", 2) == [("memory.high", "1")]
    assert limits.settings(resources, "pids", 1) == []
    with pytest.raises(ConfigError, match=r"unified/memory\.high: invalid configuration"):
        limits.settings(resources, "memory", 1)


def test_a_wrong_type_is_named_by_its_pointer() -> None:
    with pytest.raises(ConfigError, match=r"/linux/resources/memory/limit: must be a whole number"):
        limits.limited({"memory": {"limit": "64m"}})


@pytest.mark.parametrize("path", ["", "/", "..", "/minirt/../..", "a/../b", "."])
def test_a_path_that_names_no_cgroup_of_its_own_is_refused(path: str) -> None:
    with pytest.raises(ConfigError, match="names no cgroup of its own"):
        limits.checked_path(path)


@pytest.mark.parametrize("path", [f"/{'a' * 256}", f"/{'ab/' * 350}"])
def test_a_cgroup_that_the_kernel_could_not_make_is_refused_before(path: str) -> None:
    """What is recorded before it is made could not be removed either (ENAMETOOLONG)."""
    with pytest.raises(ConfigError, match="bytes"):
        limits.checked_path(path)
    assert limits.checked_path(f"/{'a' * 255}") == f"/{'a' * 255}"


@pytest.mark.parametrize(("path", "clean"), [("//minirt//a/", "/minirt/a"), ("a/./b", "a/b")])
def test_a_path_is_cleaned(path: str, clean: str) -> None:
    assert limits.checked_path(path) == clean


def test_the_description_says_the_limits_in_words() -> None:
    assert (
        Cgroup("/minirt/web", RESOURCES).describe()
        == "cgroup /minirt/web: 0.5 CPUs, 64 MiB of memory, 100 processes, disk throttled"
    )
    assert Cgroup("/minirt/web", {}).describe().endswith("no limits, for what it counts")
