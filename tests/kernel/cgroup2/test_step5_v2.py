"""Step 5 as a whole on version 2: what a student types, with this machine's files as the root."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from minirt.resources import LEAST_MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minirt.linux.cgroups import Hierarchy


@pytest.fixture(autouse=True)
def _nothing_stays(tree: Hierarchy) -> Iterator[None]:
    yield
    assert not os.path.exists(f"{tree.mountpoint}/minirt")


def step5(*arguments: str) -> subprocess.CompletedProcess[str]:
    options = ["--quiet", "--rootfs", "/", "--network", "none"]
    argv = [sys.executable, "-I", "-m", "minirt.step5", *options, *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def test_a_container_that_takes_too_much_memory_is_killed() -> None:
    assert step5("--memory", "32m", "--", "tail", "/dev/zero").returncode == 128 + 9


def test_the_least_memory_is_enough_for_a_whole_container() -> None:
    done = step5("--memory", str(LEAST_MEMORY), "--", "true")
    assert done.returncode == 0, done.stderr


def test_the_container_sees_its_cgroup_as_the_root() -> None:
    done = step5("--", "cat", "/proc/self/cgroup")
    assert done.stdout == "0::/\n", done.stderr


def test_a_limit_that_cannot_be_set_leaves_nothing_behind() -> None:
    done = step5("--io-bps", "8m", "--", "true")
    assert done.returncode == 125
    assert "--io-bps" in done.stderr
