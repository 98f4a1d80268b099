"""A hostile image or volume, against what went wrong in container runtimes before."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from mounted import created, inside, table, top
from oci import Runtime

import minirt
from minirt.context import Context
from minirt.filetree.mount import Mount
from minirt.linux import statfs
from minirt.mechanisms.mounts import Mounts
from minirt.mechanisms.procfs import Procfs

if TYPE_CHECKING:
    from collections.abc import Iterator

TRAP = "open('/trapped', 'w').close()\nraise SystemExit('an image was imported')\n"


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    return Runtime(tmp_path, "sleep", "60")


@pytest.fixture
def rootfs(runtime: Runtime) -> Path:
    return runtime.bundle / "rootfs"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A directory of the host's, as the target of links."""
    path = tmp_path / "outside"
    path.mkdir()
    (path / "victim").write_text("untouched")
    return path


def add(runtime: Runtime, fstype: str, destination: str, **members: Any) -> None:
    entry = {"destination": destination, "type": fstype, "source": fstype, **members}
    runtime.config["mounts"].append(entry)


def refused(runtime: Runtime) -> str:
    """What is said of a container that must not be made."""
    said = runtime.bundle.parent / "said"
    with said.open("w") as file:
        done = runtime.call("create", "c1", stdout=file, stderr=file, capture_output=False)
    runtime.must("delete", "--force", "c1")
    assert done.returncode == 1
    return said.read_text()


def test_cve_2019_14271_nothing_of_the_image_is_loaded(runtime: Runtime, rootfs: Path) -> None:
    """Init runs inside, before the program does: all of its code is the host's."""
    package = Path(minirt.__file__).parent
    places = [Path(sysconfig.get_path("stdlib")), package.parent, package / "mechanisms"]
    names = [n for n in sys.stdlib_module_names if not n.startswith("_")] + ["sitecustomize"]
    for place in places:
        trapped = rootfs / place.relative_to("/")
        trapped.mkdir(parents=True, exist_ok=True)
        for name in names:
            (trapped / f"{name}.py").write_text(TRAP)
    (rootfs / "lib64").mkdir(exist_ok=True)
    for library in ("libseccomp.so.2", "libnss_files.so.2", "libc.so.6"):
        (rootfs / "lib64" / library).write_bytes(b"\x7fELF")
    runtime.config["process"]["user"] = {"uid": 1, "gid": 1, "additionalGids": [2]}
    device = os.stat(rootfs).st_dev
    with created(runtime) as pid:
        assert not (rootfs / "trapped").exists()
        mapped = {line.split()[4] for line in _maps(pid) if len(line.split()) > 5}
        images = {str(path.stat().st_ino) for path in rootfs.rglob("*") if path.is_file()}
        assert device
        assert not mapped & images
    runtime.config["process"]["args"] = ["no-such-program"]
    assert "executable file not found" in refused(runtime)
    assert not (rootfs / "trapped").exists()


def _maps(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/maps").read_text().splitlines()


@pytest.mark.parametrize(("fstype", "path"), [("proc", "/proc"), ("sysfs", "/sys/fs")])
def test_cve_2019_19921_and_2023_27561_kernel_files_are_where_their_names_say(
    runtime: Runtime, rootfs: Path, fstype: str, path: str
) -> None:
    """Or an image has masked paths of its own hidden, and the kernel's left open."""
    first = rootfs / path.split("/")[1]
    first.rmdir()
    (rootfs / "elsewhere/fs").mkdir(parents=True)
    first.symlink_to("/elsewhere")
    runtime.config["mounts"].pop(0)
    add(runtime, fstype, path)
    assert f"{path} must be mounted on ordinary directory" in refused(runtime)
    (rootfs / "elsewhere").rename(rootfs / "gone")
    if path == "/proc":
        assert f"{path} must be mounted on ordinary directory" in refused(runtime)


def test_cve_2023_27561_what_was_looked_at_is_what_is_mounted_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A volume may show a link at the first look, and an ordinary directory at the second."""
    for name in ("proc", "elsewhere"):
        (tmp_path / name).mkdir()
    root = os.open(tmp_path, os.O_PATH)
    led = os.open(tmp_path / "elsewhere", os.O_PATH)
    monkeypatch.setattr("minirt.mechanisms.mounts.make_directories", lambda *_: led)
    target = Mounts(()).mount_point(root, Mount("/proc", "proc"), root)
    assert os.path.samestat(os.fstat(target), os.stat(tmp_path / "proc"))
    os.close(target)
    os.close(root)


@pytest.mark.parametrize("link", ["absolute", "relative"])
def test_cve_2021_30465_no_link_leads_a_mount_out(
    runtime: Runtime, rootfs: Path, outside: Path, link: str
) -> None:
    up = "../" * 12
    (rootfs / "link").symlink_to(outside if link == "absolute" else f"{up}{outside}")
    (rootfs / outside.relative_to("/")).mkdir(parents=True)
    add(runtime, "tmpfs", "/link/in")
    with created(runtime) as pid:
        assert table(pid)[-1].mountpoint == f"{outside}/in"
        assert inside(pid, f"{outside}/in").is_dir()
    assert [path.name for path in outside.iterdir()] == ["victim"]


def test_cve_2021_30465_a_volume_that_changes_meanwhile_gains_nothing(
    runtime: Runtime, outside: Path, tmp_path: Path
) -> None:
    """Another container may exchange a directory and a link as often as it can."""
    volume = tmp_path / "volume"
    (volume / "place").mkdir(parents=True)
    (volume / "link").symlink_to(outside)
    add(runtime, "bind", "/volume", source=str(volume))
    add(runtime, "bind", "/volume/place", source="/etc")
    with exchanging(volume / "place", volume / "link"):
        for attempt in range(6):
            words = ("create", "--pid-file", "pid", f"c{attempt}")
            done = runtime.call(*words, stdout=-3, stderr=-3, capture_output=False)
            if done.returncode == 0:
                seen = table(int((runtime.bundle / "pid").read_text()))
                # Where the link leads inside, what is not there is made.
                places = ("/volume/", str(outside))
                assert any(m.mountpoint.startswith(places) for m in seen), seen
            runtime.must("delete", "--force", f"c{attempt}")
    assert [path.name for path in outside.iterdir()] == ["victim"]
    assert str(outside) not in [m.mountpoint for m in table(os.getpid())]


class exchanging:  # noqa: N801  (read as a statement)
    """In the block another process exchanges two names, without a pause."""

    def __init__(self, one: Path, other: Path) -> None:
        code = (
            "import ctypes, sys\nlibc = ctypes.CDLL(None)\n"
            "one, other = (w.encode() for w in sys.argv[1:])\n"
            "while True: libc.renameat2(-100, one, -100, other, 2)\n"
        )
        self.argv = [sys.executable, "-I", "-c", code, str(one), str(other)]

    def __enter__(self) -> None:
        self.process = subprocess.Popen(self.argv)

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


@pytest.mark.parametrize("kind", ["directory", "file"])
def test_cve_2024_45310_mount_points_are_made_inside_alone(
    runtime: Runtime, rootfs: Path, outside: Path, kind: str
) -> None:
    (rootfs / "link").symlink_to(outside)
    source = outside if kind == "directory" else outside / "victim"
    add(runtime, "bind", "/link/a/b", source=str(source))
    done = runtime.call("create", "c1", stdout=-3, stderr=-3, capture_output=False)
    assert [path.name for path in outside.iterdir()] == ["victim"]
    runtime.must("delete", "--force", "c1")
    assert done.returncode in (0, 1)


@pytest.mark.parametrize("null", ["a link", "a file", "another device"])
def test_cve_2025_31133_only_the_null_device_masks(
    runtime: Runtime, tmp_path: Path, null: str
) -> None:
    """Else what a link points to would be mounted, writable, where nothing should be."""
    dev = tmp_path / "dev"
    dev.mkdir()
    if null == "a link":
        (dev / "null").symlink_to("/proc/sys/kernel/core_pattern")
    elif null == "a file":
        (dev / "null").write_text("mine")
    else:
        os.mknod(dev / "null", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    runtime.config["mounts"].pop()
    add(runtime, "bind", "/dev", source=str(dev))
    runtime.config["linux"]["maskedPaths"] = ["/proc/kcore", "/proc/keys"]
    assert "/dev/null inside is not the null device" in refused(runtime)


@pytest.fixture
def with_terminal(runtime: Runtime) -> Iterator[Runtime]:
    """A container with a terminal, and a /dev that is the image's own."""
    runtime.config["mounts"].pop()
    add(runtime, "devpts", "/dev/pts", options=["newinstance", "ptmxmode=0666"])
    script = "stat -c %F /dev/console; cat /etc/victim"
    runtime.config["process"] |= {"terminal": True, "args": ["sh", "-c", script]}
    (runtime.bundle / "rootfs/etc/victim").write_text("untouched")
    return runtime


def on_terminal(runtime: Runtime) -> str:
    """What the container's program wrote to its terminal."""
    master, slave = os.openpty()
    runtime.call("run", "c1", stdin=slave, stdout=slave, stderr=slave, capture_output=False)
    os.close(slave)
    try:
        return os.read(master, 4096).decode()
    finally:
        os.close(master)


def test_cve_2025_52565_the_console_covers_nothing_else(with_terminal: Runtime) -> None:
    console = with_terminal.bundle / "rootfs/dev/console"
    console.symlink_to("/etc/victim")
    assert on_terminal(with_terminal).split("\r\n")[:2] == ["character special file", "untouched"]


def test_cve_2025_52565_nor_when_the_place_changes_meanwhile(with_terminal: Runtime) -> None:
    """A hook stands in for another container that shares the tree."""
    console = with_terminal.bundle / "rootfs/dev/console"
    script = f"mv {console} {console}.old && ln -s /etc/victim {console}"
    hook = {"path": "/bin/sh", "args": ["sh", "-c", script], "env": ["PATH=/bin:/usr/bin"]}
    with_terminal.config["hooks"] = {"createRuntime": [hook]}
    assert "untouched" in on_terminal(with_terminal)


def test_cve_2025_52881_what_init_writes_to_proc_reaches_the_kernel() -> None:
    """Whatever lies at /proc: here a tmpfs that has the same names."""
    script = (
        "import os, sys\n"
        f"sys.path.insert(0, {str(Path(minirt.__file__).parent.parent)!r})\n"
        "from minirt.context import Context\nfrom minirt.mechanisms.procfs import Procfs\n"
        "ctx = Context('c', '/', '0' * 8)\nProcfs().enter(ctx)\n"
        "file = os.open('sys/kernel/ostype', os.O_RDONLY, dir_fd=ctx.proc)\n"
        "print(open('/proc/sys/kernel/ostype').read(), os.read(file, 99).decode())\n"
    )
    fake = "mount -t tmpfs fake /proc && mkdir -p /proc/sys/kernel && "
    fake += "echo fake > /proc/sys/kernel/ostype && exec "
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", f'{fake} "$0" -I -c "$1"', sys.executable, script],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["fake", "Linux"], done.stderr


def test_cve_2025_52881_a_proc_that_is_none_is_refused(tmp_path: Path) -> None:
    fd = os.open(tmp_path, os.O_PATH)
    with pytest.raises(Exception, match="procfs"):
        statfs.require(fd, statfs.PROC_SUPER_MAGIC, "/proc")
    os.close(fd)


def test_init_has_a_procfs_only_where_something_is_written_to_it(runtime: Runtime) -> None:
    ctx = Context("c", "/", "0" * 8)
    Procfs().enter(ctx)
    assert statfs.magic(ctx.proc) == statfs.PROC_SUPER_MAGIC
    os.close(ctx.proc)
    with created(runtime) as pid:
        assert top(pid, "/proc").fstype == "proc"
