"""/dev of a container as engines want it: nodes, links, the console, and what may not be."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

import pytest
from mounted import created, device, inside, top
from oci import Runtime
from test_oci_mounts import with_users

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT = {
    "null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9),
    "tty": (5, 0),
}  # fmt: skip
LINKS = {
    "fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2", "ptmx": "pts/ptmx",
}  # fmt: skip


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    made = Runtime(tmp_path, "sleep", "60")
    pts = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]
    made.config["mounts"].append(
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": pts}
    )
    return made


def ask(runtime: Runtime, **members: Any) -> None:
    runtime.config["linux"].setdefault("devices", []).append(members)


def test_the_default_devices_and_links(runtime: Runtime) -> None:
    with created(runtime) as pid:
        for name, numbers in DEFAULT.items():
            wanted = (stat.S_IFCHR | 0o666, *numbers, 0, 0)
            assert device(inside(pid, f"/dev/{name}")) == wanted, name
        for name, target in LINKS.items():
            assert os.readlink(inside(pid, f"/dev/{name}")) == target
        assert inside(pid, "/dev/null").read_bytes() == b""
        assert top(pid, "/dev").fstype == "tmpfs"


KINDS = (("c", stat.S_IFCHR), ("u", stat.S_IFCHR), ("b", stat.S_IFBLK))


@pytest.mark.parametrize(("kind", "fmt"), KINDS)
def test_a_device_of_each_kind(runtime: Runtime, kind: str, fmt: int) -> None:
    numbers = {"major": 7, "minor": 300}
    ask(runtime, path="/dev/deep/x", type=kind, fileMode=fmt | 0o640, uid=4, gid=5, **numbers)
    with created(runtime) as pid:
        assert device(inside(pid, "/dev/deep/x")) == (fmt | 0o640, 7, 300, 4, 5)


def test_a_pipe_needs_no_numbers(runtime: Runtime) -> None:
    ask(runtime, path="/run/pipe", type="p", fileMode=0o600)
    with created(runtime) as pid:
        assert stat.S_ISFIFO(inside(pid, "/run/pipe").stat().st_mode)


def test_a_device_replaces_what_the_image_has_there(runtime: Runtime) -> None:
    (runtime.bundle / "rootfs/run").mkdir(exist_ok=True)
    (runtime.bundle / "rootfs/run/x").symlink_to("/etc/passwd")
    ask(runtime, path="/run/x", type="c", major=1, minor=3)
    with created(runtime) as pid:
        assert stat.S_ISCHR(inside(pid, "/run/x").lstat().st_mode)


WRONG = (
    ({"path": "x", "type": "c"}, "/linux/devices/0/path"),
    ({"path": "/x", "type": "disk"}, "/linux/devices/0/type"),
    ({"path": "/x", "type": "c", "minor": 1}, "/linux/devices/0/major"),
    ({"path": "/x", "type": "b", "major": 1, "minor": -1}, "/linux/devices/0/minor"),
)


@pytest.mark.parametrize(("members", "pointer"), WRONG, ids=str)
def test_a_wrong_device_is_named(runtime: Runtime, members: dict[str, Any], pointer: str) -> None:
    ask(runtime, **members)
    done = runtime.call("create", "c1")
    assert done.returncode == 1
    assert pointer in done.stderr


def test_in_a_user_namespace_devices_are_the_hosts(runtime: Runtime) -> None:
    with_users(runtime)
    ask(runtime, path="/dev/kmsg", type="c", major=1, minor=11)
    with created(runtime) as pid:
        for name, numbers in {**DEFAULT, "kmsg": (1, 11)}.items():
            assert device(inside(pid, f"/dev/{name}"))[1:3] == numbers
            assert top(pid, f"/dev/{name}").mountpoint == f"/dev/{name}"
        assert inside(pid, "/dev/zero").open("rb").read(2) == b"\0\0"


def test_a_node_of_other_numbers_than_the_hosts_is_refused_there(runtime: Runtime) -> None:
    with_users(runtime)
    ask(runtime, path="/dev/null", type="c", major=1, minor=5)
    done = runtime.call("create", "c1")
    assert done.returncode == 1
    assert "the host's /dev/null is not the device" in done.stderr


def test_on_a_nodev_dev_the_nodes_can_be_opened_all_the_same(runtime: Runtime) -> None:
    runtime.config["mounts"][1]["options"] += ["nodev"]
    ask(runtime, path="/dev/kmsg", type="c", major=1, minor=11)
    with created(runtime) as pid:
        assert "nodev" in top(pid, "/dev").options
        assert inside(pid, "/dev/zero").open("rb").read(1) == b"\0"
        assert device(inside(pid, "/dev/kmsg"))[1:3] == (1, 11)


def test_a_read_only_dev_has_its_nodes_and_mount_points(runtime: Runtime) -> None:
    runtime.config["mounts"][1]["options"] += ["ro"]
    with created(runtime) as pid:
        assert "ro" in top(pid, "/dev").options
        assert top(pid, "/dev/pts").fstype == "devpts"
        assert inside(pid, "/dev/null").is_char_device()


def test_a_bound_dev_is_left_alone(runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    runtime.config["mounts"][1:] = [
        {"destination": "/dev", "type": "bind", "source": str(tmp_path / "dev")}
    ]
    with created(runtime):
        assert list((tmp_path / "dev").iterdir()) == []


def test_a_terminal_is_the_console_too(runtime: Runtime) -> None:
    runtime.config["process"] |= {"terminal": True, "args": ["sh", "-c", SAME]}
    # `run` by hand, in the foreground: there is no engine that takes the terminal.
    master, slave = os.openpty()
    done = runtime.call("run", "c1", stdin=slave, stdout=slave, capture_output=False)
    os.set_blocking(master, False)
    assert done.returncode == 0, os.read(master, 9999)
    os.close(slave)
    os.close(master)


SAME = 'test "$(stat -c %t:%T /dev/console)" = "$(stat -Lc %t:%T /proc/self/fd/0)"'
