"""Which hierarchy holds what, read from the text of mountinfo and /proc/self/cgroup."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from minirt.errors import HostError
from minirt.linux import cgroupfs
from minirt.linux.cgroup_events import in_words
from minirt.linux.cgroups import Hierarchy, holder, parse
from minirt.linux.mountinfo import Mount

if TYPE_CHECKING:
    from pathlib import Path

HYBRID = """\
31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
36 31 0:34 / /sys/fs/cgroup/blkio rw,relatime - cgroup cgroup rw,blkio
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate
"""
HYBRID_OWN = """\
7:blkio:/
4:memory:/jobs/1
3:cpu,cpuacct:/
2:name=systemd:/init.scope
0::/init.scope
"""
V2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n"
# A container with the host's cgroup namespace: the mount shows only its own cgroup.
BOUND = "88 80 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
# One whose cgroup namespace is younger than the mount.
OUTSIDE = "88 80 0:26 /../.. /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n"


def found(mountinfo: str, own: str) -> dict[str, Hierarchy]:
    table = [Mount(line) for line in mountinfo.splitlines()]
    return {h.mountpoint.rpartition("/")[2]: h for h in parse(table, own)}


def test_each_controller_of_a_hybrid_machine_is_in_its_own_hierarchy() -> None:
    hierarchies = found(HYBRID, HYBRID_OWN)
    assert hierarchies["cpu,cpuacct"].controllers == ("cpu", "cpuacct")
    assert hierarchies["memory"].own == "/jobs/1"
    assert [h.version for h in hierarchies.values()] == [1, 1, 1, 1, 2]


def test_a_tmpfs_is_no_hierarchy() -> None:
    assert found(HYBRID.splitlines()[0], HYBRID_OWN) == {}


def test_io_is_called_blkio_in_version_1() -> None:
    hierarchy = holder(found(HYBRID, HYBRID_OWN).values(), "io")
    assert hierarchy is not None
    assert hierarchy.mountpoint == "/sys/fs/cgroup/blkio"


def test_a_controller_that_is_not_mounted_has_no_holder() -> None:
    assert holder(found(HYBRID, HYBRID_OWN).values(), "pids") is None


def test_an_absolute_path_is_below_the_mount_point() -> None:
    memory = found(HYBRID, HYBRID_OWN)["memory"]
    assert memory.directory("/minirt/web") == "/sys/fs/cgroup/memory/minirt/web"


def test_a_relative_path_is_below_our_own_cgroup() -> None:
    memory = found(HYBRID, HYBRID_OWN)["memory"]
    assert memory.directory("minirt/web") == "/sys/fs/cgroup/memory/jobs/1/minirt/web"


def test_our_own_cgroup_is_taken_relative_to_what_the_mount_shows() -> None:
    memory = found(BOUND, "4:memory:/docker/abc/jobs\n")["memory"]
    assert memory.home() == "/sys/fs/cgroup/memory/jobs"
    assert memory.directory("/minirt/web") == "/sys/fs/cgroup/memory/minirt/web"


@pytest.mark.parametrize(
    ("mountinfo", "own"), [(BOUND, "4:memory:/docker/abcd\n"), (OUTSIDE, "0::/\n")]
)
def test_an_own_cgroup_outside_of_the_mount_is_an_error(mountinfo: str, own: str) -> None:
    (hierarchy,) = found(mountinfo, own).values()
    with pytest.raises(HostError, match="cannot be reached"):
        hierarchy.directory("minirt/web")


def test_the_leaf_into_which_the_caller_moved_does_not_nest() -> None:
    hierarchy = found(V2, "0::/user.slice/run-1.scope/minirt-caller\n")["cgroup"]
    assert hierarchy.directory("minirt/web") == "/sys/fs/cgroup/user.slice/run-1.scope/minirt/web"


def test_a_second_mount_of_a_hierarchy_shows_nothing_new() -> None:
    twice = V2 + "31 23 0:26 / /var/lib/guest/cgroup rw - cgroup2 cgroup2 rw\n"
    assert list(found(twice, "0::/\n")) == ["cgroup"]


def test_each_limit_that_was_reached_is_said_in_words() -> None:
    counts = {
        "oom_kills": 1, "memory_peak": 32 << 20, "throttled_us": 955_618,
        "throttled_periods": 12, "pids_max_hits": 3,
    }  # fmt: skip
    memory, cpu, pids = in_words(counts)
    assert "OOM" in memory
    assert "32 MiB" in memory
    assert "12 periods, and waited 956 ms" in cpu
    assert "3 fork(s) refused" in pids


def test_limits_that_were_not_reached_are_not_mentioned() -> None:
    assert in_words({"oom_kills": 0, "memory_peak": 1 << 20, "throttled_us": 0}) == []
    assert in_words({}) == []


def test_outside_of_a_cgroup_file_system_a_limit_is_an_error_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"this kernel cannot set memory\.max"):
        cgroupfs.write(str(tmp_path), "memory.max", "1")
    assert list(tmp_path.iterdir()) == []
