"""--systemd-cgroup, with a systemd of our own in a container: pid, mount and cgroup namespace."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(__file__)))
from oci import Runtime

from minirt.linux import cgroup_members, cgroupfs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minirt.linux.cgroups import Hierarchy

SYSTEMD = "/lib/systemd/systemd"
PATIENCE_S = 60.0
# A machine with nothing to start: systemd's own boot is long, and is not what is tested.
TARGET = "[Unit]\nDefaultDependencies=no\n"
START = f"""
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system
printf '{TARGET}' > /run/systemd/system/minirt-test.target
umount /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
exec {SYSTEMD} --unit=minirt-test.target --log-target=console --log-level=warning
"""


class Systemd:
    """systemd as process 1 of its own namespaces, in the cgroup `directory`."""

    def __init__(self, directory: str) -> None:
        cgroupfs.write(os.path.dirname(directory), "cgroup.subtree_control", "+cpu +memory +pids")
        os.mkdir(directory)
        self.directory = directory
        inside = ["unshare", "-p", "-m", "-C", "--fork", "--mount-proc", "sh", "-ec", START]
        shell = f'echo $$ > {directory}/cgroup.procs; exec "$@"'
        self.process = subprocess.Popen(
            ["sh", "-ec", shell, "sh", *inside], env={"container": "other", "PATH": os.defpath}
        )
        self.pid = 0

    def wait(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            assert self.process.poll() is None
            children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
            pids = children.read_text().split()
            self.pid = int(pids[0]) if pids else 0
            if pids and self.ask("systemctl", "show", "--property=Version"):
                # Its parent stands in the root of its tree, which shall hand controllers down.
                top = os.path.dirname(self.directory)
                cgroupfs.write(top, "cgroup.procs", str(self.process.pid))
                return
            time.sleep(0.1)
        pytest.fail("systemd does not start")

    def ask(self, *words: str) -> bool:
        done = subprocess.run(self.argv(*words), capture_output=True, check=False)
        return done.returncode == 0

    def argv(self, *words: str) -> list[str]:
        return ["nsenter", "-t", str(self.pid), "-p", "-m", "-C", *words]

    def end(self) -> None:
        self.process.kill()
        cgroup_members.kill(self.directory)
        self.process.wait()
        cgroupfs.remove([self.directory])


@pytest.fixture
def systemd(tree: Hierarchy) -> Iterator[Systemd]:
    assert shutil.which("systemd-run")
    made = Systemd(f"{tree.mountpoint}/systemd-{os.getpid()}")
    try:
        made.wait()
        yield made
    finally:
        made.end()


@pytest.fixture
def runtime(tmp_path: Path, systemd: Systemd) -> Iterator[Runtime]:
    """Its calls are made on the machine that is systemd's."""
    made = Runtime(tmp_path, "sleep", "60")
    made.program = [*systemd.argv(*made.program), "--systemd-cgroup"]
    made.config["linux"]["resources"] = {"pids": {"limit": 17}}
    yield made
    made.must("delete", "--force", "c1")


def test_a_container_is_in_a_scope_that_goes_with_it(runtime: Runtime, systemd: Systemd) -> None:
    runtime.config["linux"]["cgroupsPath"] = "minirt-test.slice:web:c1"
    words = ("create", "--bundle", str(runtime.bundle), "c1")
    runtime.must(*words, capture_output=False, stdout=subprocess.DEVNULL)
    scope = f"{systemd.directory}/minirt.slice/minirt-test.slice/web-c1.scope"
    (pid,) = cgroup_members.members(f"{scope}/container")
    assert cgroupfs.read(f"{scope}/container", "pids.max") == "17\n"
    assert systemd.ask("systemctl", "is-active", "web-c1.scope")
    runtime.must("start", "c1")
    assert systemd.ask("systemctl", "daemon-reload")
    assert cgroupfs.read(f"{scope}/container", "pids.max") == "17\n"
    assert cgroup_members.members(scope) == [pid]
    runtime.must("delete", "--force", "c1")
    assert not os.path.exists(scope)
    assert not systemd.ask("systemctl", "is-active", "web-c1.scope")
