"""Machines are told apart by facts that cannot be faked by a path."""

from __future__ import annotations

import pytest

from minirt.check.machine import cgroup_mode, wsl_version
from minirt.linux.mountinfo import Mount

V2 = "30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw"
V1 = "31 1 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory"
NAMED = "32 1 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd"
TMPFS = "33 1 0:29 / /sys/fs/cgroup rw - tmpfs tmpfs rw"


@pytest.mark.parametrize(
    ("lines", "mode"),
    [
        ([V2], "v2"),
        ([TMPFS, V1], "v1"),
        ([TMPFS, V1, V2], "hybrid"),
        ([TMPFS, NAMED], "none"),
        ([TMPFS, NAMED, V2], "v2"),
        ([], "none"),
    ],
)
def test_the_cgroup_version_is_what_is_mounted(lines: list[str], mode: str) -> None:
    assert cgroup_mode([Mount(line) for line in lines]) == mode


@pytest.mark.parametrize(
    ("release", "version"),
    [
        ("6.1.0-28-amd64", 0),
        ("4.4.0-19041-Microsoft", 1),
        ("5.15.167.4-microsoft-standard-WSL2", 2),
    ],
)
def test_the_version_of_wsl_is_in_the_kernels_name(release: str, version: int) -> None:
    assert wsl_version(release) == version
