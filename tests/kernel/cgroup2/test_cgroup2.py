"""Version 2: birth in the cgroup, controllers handed down, delegation to an ordinary user."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cgroup_driver import drive

from minirt.linux import cgroup_members, cgroup_v2, cgroupfs, cgroups
from minirt.mechanisms.cgroup import Cgroup
from minirt.resources import from_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minirt.linux.cgroups import Hierarchy

HELD = ["sh", "-c", "echo ready; exec cat"]
USER = 1000


@pytest.fixture
def path(tree: Hierarchy) -> Iterator[str]:
    name = f"/minirt/v2-{os.getpid()}"
    yield name
    left = os.path.exists(f"{tree.mountpoint}/minirt")
    cgroupfs.remove([f"{tree.mountpoint}/minirt"])
    assert not left


def test_the_process_is_born_in_its_cgroup(path: str) -> None:
    seen = drive(path=path, resources={}, command=["true"])
    assert seen["born_in"] == f"0::{path}\n"


def test_limits_are_in_the_files_of_version_2(path: str, tree: Hierarchy) -> None:
    resources = {
        "cpu": {"quota": 50_000, "period": 100_000, "shares": 1024},
        "memory": {"limit": 64 << 20, "swap": 80 << 20},
        "pids": {"limit": 20},
        "unified": {"memory.high": str(32 << 20)},
    }
    seen = drive(path=path, resources=resources, command=HELD, hold=True)
    files = seen["files"][tree.mountpoint + path]
    assert files["cpu.max"] == "50000 100000"
    assert files["cpu.weight"] == "100"
    assert files["memory.max"] == str(64 << 20)
    assert files["memory.swap.max"] == str(16 << 20)
    assert files["memory.high"] == str(32 << 20)
    assert files["pids.max"] == "20"


def test_controllers_are_handed_down_level_by_level(path: str, tree: Hierarchy) -> None:
    deep = f"{path}/a/b"
    seen = drive(path=deep, resources=from_options(pids="20"), command=HELD, hold=True)
    assert seen["files"][tree.mountpoint + deep]["pids.max"] == "20"
    cgroupfs.remove([tree.mountpoint + path])


def test_children_that_the_container_made_go_too(path: str) -> None:
    script = (
        "mount -t cgroup2 none /mnt && mkdir -p /mnt/a/b\n"
        "{ echo 0 > /mnt/a/b/cgroup.procs; exec sleep 99; } &\n"
        "until grep -q . /mnt/a/b/cgroup.procs; do :; done"
    )
    command = ["unshare", "-m", "sh", "-ec", script]
    seen = drive(path=path, resources={}, command=command)
    assert seen["left"] == []
    assert "error" not in seen


def test_a_further_process_is_born_in_the_cgroup_of_a_running_one(path: str) -> None:
    running = drive(path=path, resources={}, command=["sh", "-c", "sleep 99 &"], keep=True)
    seen = drive(join=running["directories"], command=["true"])
    assert seen["born_in"] == f"0::{path}\n"
    cgroupfs.remove(running["directories"])


def test_a_delegated_cgroup_serves_an_ordinary_user(delegated: str) -> None:
    resources = from_options(memory="32m", pids="20")
    command = ["tail", "/dev/zero"]  # it keeps the last line, which has no end
    order = {"path": "minirt/mine", "resources": resources, "command": command}
    seen = drive(within=delegated, user=USER, **order)
    assert seen["directories"] == [f"{delegated}/minirt/mine"]
    assert seen["events"]["oom_kills"] == 1
    assert seen["left"] == []


def test_the_callers_processes_make_room_in_a_delegated_cgroup_and_are_told(delegated: str) -> None:
    shell = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    cgroupfs.write(delegated, "cgroup.procs", str(shell.pid))
    order = {"path": "minirt/mine", "resources": {}, "command": ["true"]}
    first = drive(within=delegated, user=USER, **order)
    leaf = f"{delegated}/{cgroups.CALLER}"
    assert first["warnings"] == [f"moved 2 processes from cgroup {delegated} to {leaf}"]
    assert cgroup_members.members(leaf) == [shell.pid]
    second = drive(within=leaf, user=USER, **order)
    assert second["directories"] == first["directories"]
    assert second["warnings"] == []
    shell.communicate()


def test_a_controller_that_was_not_delegated_is_named(delegated: str) -> None:
    order = {"path": "minirt/mine", "resources": {"unified": {"io.weight": "50"}}}
    seen = drive(within=delegated, user=USER, command=["true"], **order)
    assert f"io: it is not delegated to {delegated}" in seen["error"]["what"]
    assert "Delegate=yes" in seen["error"]["hint"]
    assert seen["directories"] == []


def test_without_delegation_the_remedy_is_named(path: str) -> None:
    order = {"path": path[1:], "resources": from_options(pids="5"), "command": ["true"]}
    seen = drive(user=USER, **order)
    assert "is not writable for us" in seen["error"]["what"]
    assert "Delegate=yes" in seen["error"]["hint"]


def test_a_cgroup_that_is_only_half_delegated_is_explained(delegated: str) -> None:
    os.chown(f"{delegated}/cgroup.subtree_control", 0, 0)
    order = {"path": "minirt/mine", "resources": {}, "command": ["true"]}
    seen = drive(within=delegated, user=USER, **order)
    assert seen["error"]["errno"] == errno.EACCES
    assert "Delegate=yes" in seen["error"]["hint"]
    assert seen["left"] == []


def test_a_process_that_joins_namespaces_is_born_in_the_cgroup_too(path: str) -> None:
    """As for exec: the engine joins by way of a helper."""
    running = drive(path=path, resources={}, command=["sh", "-c", "sleep 99 &"], keep=True)
    done = subprocess.run(
        [sys.executable, "-I", "-c", JOIN, *running["directories"]],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == f"0::{path}\n", done.stderr
    cgroupfs.remove(running["directories"])


JOIN = """
import os, sys
from minirt.engine.launch import launch
from minirt.linux.ending import wait

def child():
    print(open("/proc/self/cgroup").read(), end="", flush=True)
    os._exit(0)

directory = os.open(sys.argv[1], os.O_RDONLY)
pid, pidfd = launch({"uts": "/proc/self/ns/uts"}, directory, child)
sys.exit(wait(pidfd))
"""


def test_a_parent_that_holds_processes_is_explained(path: str, tree: Hierarchy) -> None:
    parent = f"{tree.mountpoint}{path}"
    os.makedirs(parent)
    other = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    cgroupfs.write(parent, "cgroup.procs", str(other.pid))
    seen = drive(path=f"{path}/inner", resources=from_options(pids="5"), command=["true"])
    assert seen["error"]["errno"] == errno.EBUSY
    assert "no internal processes" in seen["error"]["hint"]
    assert cgroup_members.members(parent) == [other.pid]
    other.communicate()
    cgroupfs.remove([parent])


def test_the_root_of_the_hierarchy_is_never_cleared(tree: Hierarchy) -> None:
    assert cgroup_v2.make_room(tree.mountpoint) == 0
    assert not os.path.exists(f"{tree.mountpoint}/{cgroups.CALLER}")


def test_in_a_container_the_processes_at_its_root_make_room(path: str, tree: Hierarchy) -> None:
    """The root of a cgroup namespace looks like a root, and is none."""
    outer = f"{tree.mountpoint}/outer"
    os.mkdir(outer)
    program = (
        "umount /sys/fs/cgroup\n"
        "mount -t cgroup2 none /sys/fs/cgroup\n"
        f'exec {sys.executable} -I {os.path.abspath(drive.__code__.co_filename)} "$0"'
    )
    order = f'{{"path": "{path}", "resources": {{"pids": {{"limit": 9}}}}, "command": ["true"]}}'
    inside = ["unshare", "-C", "-m", "sh", "-ec", program, order]
    shell = ["sh", "-c", f'echo $$ > {outer}/cgroup.procs; exec "$@"', "sh", *inside]
    done = subprocess.run(shell, capture_output=True, text=True, check=False)
    assert '"status": 0' in done.stdout, done.stderr
    assert "moved 1 processes" in done.stdout
    cgroupfs.remove([outer])


def test_the_commands_by_hand_work_from_nothing(path: str, tree: Hierarchy) -> None:
    script = "\n".join([*Cgroup(path, from_options(memory="64m")).by_hand(), "cat"])
    shell = subprocess.Popen(["sh", "-e", "-c", script], stdin=subprocess.PIPE)
    shell.communicate()
    assert shell.returncode == 0
    directory = tree.mountpoint + path
    assert cgroupfs.read(directory, "memory.max") == f"{64 << 20}\n"
    cgroupfs.remove([directory])
