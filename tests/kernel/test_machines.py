"""Machines that forbid something are named for what they are. Each is made for real."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ordinary import Ordinary

ROOT = Path(__file__).parent.parent.parent
FIND = """
import sys
from minirt.check.machine import Facts
from minirt.check.obstacles import find
facts = Facts()
found = find(int(sys.argv[1]), facts)
print(facts.describe(), found and found.why, found and found.remedy, sep="\\n")
"""


def look(step: int, *wrapper: str) -> list[str]:
    """What a machine made by `wrapper` says: description, why, remedy."""
    command = [*wrapper, sys.executable, "-B", "-c", FIND, str(step)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def unshare(*flags: str, script: str) -> list[str]:
    """The start of a command that runs what follows it after `script`, in namespaces."""
    return ["unshare", *flags, "--", "sh", "-euc", f'{script}\nexec "$@"', "sh"]


def test_nothing_is_in_the_way_of_root() -> None:
    for step in (1, 2, 3, 4, 5):
        assert look(step)[1:] == ["None", "None"]


def test_no_cgroup_mount_is_named() -> None:
    bare = unshare("--mount", script="umount --recursive /sys/fs/cgroup")
    assert "no cgroup mount" in look(5, *bare)[0]
    assert look(5, *bare)[1] == "no cgroup hierarchy is mounted"
    assert look(3, *bare)[1] == "None"


def test_root_without_the_right_to_mount_is_named() -> None:
    weak = ["setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"]
    description, why, _ = look(1, *weak)
    assert "without CAP_SYS_ADMIN" in description
    assert why.startswith("this root has no CAP_SYS_ADMIN: unshare(CLONE_NEWUTS) = EPERM")


@pytest.fixture
def tree(tmp_path: Path) -> str:
    """A script that makes a root directory of this machine's, which is not a mount point."""
    return f"""
        cd /
        for name in *; do
            if [ -L "$name" ]; then cp -df --remove-destination "$name" "{tmp_path}/$name"
            elif [ -d "$name" ]; then
                mkdir -p "{tmp_path}/$name"
                mount --rbind "/$name" "{tmp_path}/$name"
            fi
        done
        """


def test_a_plain_chroot_is_named(tmp_path: Path, tree: str) -> None:
    enter = unshare("--mount", "--propagation", "private", script=tree)
    chroot = [*enter, "chroot", str(tmp_path), "env", f"PYTHONPATH={ROOT}"]
    description, why, remedy = look(3, *chroot)
    assert "in a plain chroot" in description
    assert why.startswith("this is a plain chroot")
    assert "systemd-nspawn" in remedy
    assert look(1, *chroot)[1] == "None"


def test_a_container_of_another_engine_is_named(tmp_path: Path, tree: str) -> None:
    """What docker leaves: a mark, a process tree of its own, and a root that may not mount."""
    script = f"{tree}\n: > {tmp_path}/.dockerenv\nmount --rbind {tmp_path} {tmp_path}\n"
    inside = unshare("--mount", "--pid", "--fork", "--propagation", "private", script=script)
    pivot = ["sh", "-euc", f'cd {tmp_path}; pivot_root . mnt; shift; exec "$@"', "sh", "-"]
    weak = ["setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"]
    command = [*inside, *pivot, *weak, "env", f"PYTHONPATH={ROOT}"]
    description, why, remedy = look(1, *command)
    assert "inside a docker container" in description
    assert why.startswith("the docker container around us forbids it")
    assert "--privileged" in remedy


SWITCHED_OFF = """
import os, sys
from minirt.linux.namespaces import CLONE_NEWUSER, unshare
child_done, child = os.pipe()
parent, parent_done = os.pipe()
pid = os.fork()
if pid:
    os.read(child_done, 1)
    for name in ("uid_map", "gid_map"):
        open(f"/proc/{pid}/{name}", "w").write("0 0 5000")
    os.write(parent_done, b".")
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
unshare(CLONE_NEWUSER)
os.write(child, b".")
os.read(parent, 1)
open("/proc/sys/user/max_user_namespaces", "w").write("0")
os.setgroups([])
os.setresgid(1234, 1234, 1234)
os.setresuid(1234, 1234, 1234)
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_switched_off_user_namespaces_are_named(tmp_path: Path) -> None:
    someone = Ordinary(tmp_path, 1234)
    wrapper = [sys.executable, "-c", SWITCHED_OFF]
    command = [*wrapper, str(someone.python), "-B", "-c", FIND, "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    description, why, remedy = done.stdout.splitlines()
    assert "ordinary user" in description
    assert why.startswith("user namespaces are switched off (user.max_user_namespaces is 0)")
    assert "unshare(CLONE_NEWUSER) = ENOSPC" in why
    assert remedy == "sudo sysctl user.max_user_namespaces=10000"


def test_an_ordinary_user_is_sent_to_sudo_for_the_network(tmp_path: Path) -> None:
    someone = Ordinary(tmp_path, 1234)
    for step, why in ((1, "None"), (3, "None"), (4, "what it adds needs root")):
        assert someone.run("-c", FIND, str(step)).stdout.splitlines()[1].startswith(why)


@pytest.mark.parametrize("probe", ["user", "uts", "pid", "tree", "net"])
def test_a_probe_leaves_nothing_behind(probe: str) -> None:
    before = Path("/proc/self/mountinfo").read_text(), sorted(os.listdir("/sys/class/net"))
    subprocess.run([sys.executable, "-IB", "-m", "minirt.check.probes", probe], cwd="/", check=True)
    after = Path("/proc/self/mountinfo").read_text(), sorted(os.listdir("/sys/class/net"))
    assert after == before
