"""What only a machine with cgroup version 2 alone can show: run it with vm/harness.

On another machine these modules are not collected: they are no part of its suite.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from minirt.linux import cgroupfs, cgroups

if TYPE_CHECKING:
    from collections.abc import Iterator

sys.path.insert(0, os.path.dirname(os.path.dirname(__file__)))

if [hierarchy.version for hierarchy in cgroups.hierarchies()] != [2]:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture
def tree() -> cgroups.Hierarchy:
    """The only hierarchy of this machine."""
    return cgroups.hierarchies()[0]


@pytest.fixture
def delegated(tree: cgroups.Hierarchy) -> Iterator[str]:
    """A cgroup that belongs to user 1000, with cpu, memory and pids to hand on."""
    parent = f"{tree.mountpoint}/delegation"
    os.makedirs(f"{parent}/scope")
    for directory in (tree.mountpoint, parent):
        cgroupfs.write(directory, "cgroup.subtree_control", "+cpu +memory +pids")
    for name in ("", "/cgroup.procs", "/cgroup.subtree_control", "/cgroup.threads"):
        os.chown(f"{parent}/scope{name}", 1000, 1000)
    yield f"{parent}/scope"
    cgroupfs.remove([parent])
