"""Every command of docs/oci.md, as it stands there, with engines that read the machine's /etc."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from engine import IMAGE, PATH, SETTINGS, Daemon, Engine

from minirt.linux import mount

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs/oci.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```console\n(.*?)^```$", PAGE, re.M | re.S)
STATE = "/var/lib/minirt"
CHANGED = ("/etc", "/usr/local/bin")
BUSYBOX = "docker.io/library/busybox:latest"
# What a machine without CAP_SYS_RESOURCE and systemd needs, as the page says.
LOGGED = 'events_logger = "file"\n'


class Machine:
    """One to install on; `done` are the blocks that were run."""

    def __init__(self, where: Path) -> None:
        self.where = where
        self.environment = {"PATH": PATH, "HOME": str(where), "LANG": "C.UTF-8"}
        self.done: list[str] = []

    def run(self, word: str) -> None:
        """Type the blocks with this word into a shell that stops at the first failure."""
        chosen = [block for block in BLOCKS if word in block and block not in self.done]
        assert chosen, word
        for block in chosen:
            commands = re.findall(r"^\$ (.*)$", block, re.M)
            assert len(commands) == len(block.splitlines())
            script = "\n".join(commands)
            self.done.append(block)
            # These tests are root's, sudo or not.
            done = subprocess.run(
                ["sh", "-ec", script.replace("sudo ", "")],
                cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL,
                capture_output=True, text=True, timeout=120, check=False,
            )  # fmt: skip
            assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"

    def daemon(self, *argv: str, client: Engine, socket: str) -> Daemon:
        made = Daemon(argv, self.where / f"{argv[0]}.log", home=self.where)
        made.wait(lambda: Path(socket).exists() and client.call("version").returncode == 0)
        return made


@pytest.fixture(scope="module")
def machine(scratch: Path, archive: Path) -> Iterator[Machine]:
    """What is written there is gone afterwards; podman and buildah have the image `busybox`."""
    where = scratch / "documents"
    for name in CHANGED:
        upper, work = where / "upper" / name[1:], where / "work" / name[1:]
        upper.mkdir(parents=True)
        work.mkdir(parents=True)
        data = f"lowerdir={name},upperdir={upper},workdir={work}"
        mount.mount("overlay", name, "overlay", data=data)
    Path(STATE).mkdir(exist_ok=True)
    mount.mount("tmpfs", STATE, "tmpfs")  # others on this machine may have installed it already
    Path("/etc/containers/containers.conf.d/zz-documents.conf").write_text(SETTINGS + LOGGED)
    Path("/etc/containers/storage.conf").write_text(
        f'[storage]\ndriver = "overlay"\nrunroot = "/run/storage"\ngraphroot = "{where}/storage"\n'
    )
    podman = Engine("podman", home=where)
    podman.must("load", "--input", str(archive))
    podman.must("tag", IMAGE, BUSYBOX)
    yield Machine(where)
    podman.must("rm", "--all", "--force", "--time", "0")
    for name in (*CHANGED, STATE):
        mount.umount2(name, mount.MNT_DETACH)


def test_install_and_check(machine: Machine) -> None:
    machine.run("oci install")
    machine.run("minirt-oci features")
    machine.run("checkpoint --help")
    machine.run("spec --rootless")


def test_podman_and_buildah(machine: Machine) -> None:
    machine.run("podman create")
    machine.run("podman --runtime")


def test_docker(machine: Machine, archive: Path) -> None:
    socket = "/run/docker.sock"
    client = Engine("docker", "--host", f"unix://{socket}", home=machine.where)
    words = (
        "dockerd",
        "--data-root",
        str(machine.where / "docker"),
        "--storage-driver",
        "overlay2",
    )
    daemon = machine.daemon(*words, client=client, socket=socket)
    client.must("load", "--input", str(archive))
    client.must("tag", IMAGE, "busybox")
    machine.run("docker run")
    daemon.stop()


def test_containerd(machine: Machine, archive: Path) -> None:
    socket = "/run/containerd/containerd.sock"
    client = Engine("ctr", home=machine.where)
    daemon = machine.daemon(
        "containerd", "--root", str(machine.where / "ctr"), client=client, socket=socket
    )
    client.must("image", "import", str(archive))
    client.must("image", "tag", IMAGE, BUSYBOX)
    machine.run("ctr run")
    daemon.stop()


def test_uninstall_and_nothing_was_left_out(machine: Machine) -> None:
    machine.run("oci uninstall")
    assert set(machine.done) == set(BLOCKS)
    assert not Path("/usr/local/bin/minirt-oci").exists()
