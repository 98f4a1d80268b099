"""`minirt-oci` as an ordinary user calls it: everything in a user namespace of their own."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from ordinary import Ordinary

from minirt.images import build
from minirt.oci.template import configuration
from minirt.vm.layers import merge

if TYPE_CHECKING:
    from pathlib import Path

USER = 65534
DELEGATED, COUNT = 200_000, 1000
# /etc/subuid and /etc/subgid are these files, for this call alone.
WITH_DELEGATION = """
mount --bind "$1" /etc/subuid
mount --bind "$1" /etc/subgid
shift
exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
"""


class Rootless:
    """An ordinary user, and a bundle of theirs."""

    def __init__(self, user: Ordinary, directory: Path) -> None:
        self.user = user
        self.bundle = directory / "bundle"
        self.runtime_dir = directory / "run"
        self.delegation = directory / "subuid"
        for path in (self.bundle, self.runtime_dir):
            path.mkdir(parents=True)
        self.delegation.write_text(f"nobody:{DELEGATED}:{COUNT}\n")
        merge(build.ensure().layers, str(self.bundle / "rootfs"))
        subprocess.run(["chown", "-R", f"{USER}:{USER}", directory], check=True)
        self.must("spec", "--rootless", "--bundle", str(self.bundle))
        self.config: dict[str, Any] = json.loads((self.bundle / "config.json").read_text())
        self.config["process"]["terminal"] = False
        self.config["process"]["capabilities"]["ambient"] = []

    def call(
        self, *words: str, delegated: bool = False, detached: bool = False
    ) -> subprocess.CompletedProcess[str]:
        if hasattr(self, "config"):
            (self.bundle / "config.json").write_text(json.dumps(self.config))
        how = self.user.how(XDG_RUNTIME_DIR=str(self.runtime_dir))
        how |= {"cwd": str(self.bundle), "stdin": subprocess.DEVNULL}
        if detached:  # the container would keep pipes open
            del how["capture_output"]
            how |= {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        argv = [str(self.user.python), "-IB", "-m", "minirt.oci", *words]
        if delegated:
            how |= {"user": None, "group": None, "extra_groups": None}
            script = ["unshare", "--mount", "sh", "-ec", WITH_DELEGATION, "sh"]
            argv = [*script, str(self.delegation), *argv]
        return subprocess.run(argv, check=False, **how)

    def must(self, *words: str, **options: bool) -> str:
        done = self.call(*words, **options)
        assert done.returncode == 0, done.stderr
        return done.stdout or ""


@pytest.fixture(scope="module")
def user(playground: Path) -> Ordinary:
    directory = playground / "rootless"
    directory.mkdir(mode=0o755)
    return Ordinary(directory, USER)


@pytest.fixture
def rootless(user: Ordinary, tmp_path: Path, playground: Path) -> Rootless:
    return Rootless(user, playground / "rootless" / tmp_path.name)


def test_a_whole_life_without_root(rootless: Rootless) -> None:
    rootless.config["process"]["args"] = ["sleep", "60"]
    rootless.must("create", "c1", detached=True)
    assert os.listdir(rootless.runtime_dir / "minirt-oci") == ["c1"]
    assert json.loads(rootless.must("state", "c1"))["status"] == "created"
    rootless.must("start", "c1")
    state = json.loads(rootless.must("state", "c1"))
    assert state["status"] == "running"
    with open(f"/proc/{state['pid']}/status", encoding="ascii") as lines:
        assert f"Uid:\t{USER}\t{USER}\t{USER}\t{USER}\n" in lines
    assert rootless.must("exec", "c1", "sh", "-c", "id -u; echo $$") == "0\n2\n"
    assert rootless.must("list", "--quiet") == "c1\n"
    paused = rootless.call("pause", "c1")
    assert "has no cgroup that could freeze it: create it as root" in paused.stderr
    rootless.must("kill", "c1", "KILL")
    rootless.must("delete", "--force", "c1")
    assert os.listdir(rootless.runtime_dir / "minirt-oci") == []


def test_the_configuration_of_root_is_refused_with_what_helps(rootless: Rootless) -> None:
    rootless.config = configuration("1.2.0", rootless=False)
    rootless.config["process"]["terminal"] = False
    refused = rootless.call("run", "c1")
    assert refused.returncode == 1
    assert "cannot use the cgroup controller" in refused.stderr
    assert "minirt-oci spec --rootless" in refused.stderr


def may(rootless: Rootless, capability: str) -> None:
    sets = rootless.config["process"]["capabilities"]
    sets |= {kind: [capability] for kind in ("bounding", "effective", "permitted")}


def test_run_ends_with_the_program_s_status(rootless: Rootless) -> None:
    rootless.config["process"]["args"] = ["sh", "-c", "mount -t tmpfs x /mnt && uname -n; exit 9"]
    may(rootless, "CAP_SYS_ADMIN")
    done = rootless.call("run", "c1")
    assert (done.returncode, done.stdout, done.stderr) == (9, "minirt\n", "")


def with_delegated_ids(rootless: Rootless, first: int) -> None:
    """Id 0 is the user's own, and the others are from `first` on."""
    for name in ("uidMappings", "gidMappings"):
        rootless.config["linux"][name] = [
            {"containerID": 0, "hostID": USER, "size": 1},
            {"containerID": 1, "hostID": first, "size": COUNT},
        ]


def test_ids_that_are_delegated_can_be_had(rootless: Rootless) -> None:
    with_delegated_ids(rootless, DELEGATED)
    rootless.config["root"]["readonly"] = False
    may(rootless, "CAP_CHOWN")
    script = "cat /proc/self/uid_map; touch /file; chown 5:7 /file"
    rootless.config["process"]["args"] = ["sh", "-c", script]
    shown = rootless.must("run", "c1", delegated=True)
    maps = [tuple(map(int, line.split())) for line in shown.splitlines()]
    assert maps == [(0, USER, 1), (1, DELEGATED, COUNT)]
    status = (rootless.bundle / "rootfs/file").stat()
    assert (status.st_uid, status.st_gid) == (DELEGATED + 4, DELEGATED + 6)


def test_ids_that_are_not_delegated_are_refused(rootless: Rootless) -> None:
    with_delegated_ids(rootless, DELEGATED + 1)
    refused = rootless.call("run", "c1", delegated=True)
    assert refused.returncode == 1
    assert "newuidmap failed: newuidmap: uid range" in refused.stderr
    assert "not allowed" in refused.stderr
    assert rootless.must("list", "--quiet") == ""
