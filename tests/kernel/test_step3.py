"""Step 3: a root of its own, from layers, with volumes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from steps import READY, Running, lines, namespace, output, refused, run, state_root

from minirt.images import build
from minirt.linux import mountinfo

SHELL = ("/bin/sh", "-c")
SAFE = {"nosuid", "nodev", "noexec"}
NODES = ("null", "zero", "full", "random", "urandom", "tty")


@pytest.fixture(scope="module")
def layers() -> tuple[str, ...]:
    return build.ensure().layers


def listing(directory: str) -> list[tuple[str, int, int]]:
    """Every file below, with its size and time of change."""
    found = []
    for top, names, files in os.walk(directory):
        for name in (*names, *files):
            status = os.lstat(f"{top}/{name}")
            found.append((f"{top}/{name}", status.st_size, status.st_mtime_ns))
    return sorted(found)


def test_the_root_is_an_overlay_and_none_of_the_hosts_mounts_is_left() -> None:
    with Running(3) as container:
        assert container.namespace("mnt") != namespace("self", "mnt")
        mounts = mountinfo.mounts(container.pid)
        assert [m.fstype for m in mounts if m.mountpoint == "/"] == ["overlay"]
        points = {m.mountpoint for m in mounts}
        nodes = {f"/dev/{name}" for name in NODES}
        assert points - nodes == {
            "/", "/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys",
        }  # fmt: skip


def test_no_mount_of_it_appears_on_the_host() -> None:
    before = {m.mount_id for m in mountinfo.mounts()}
    with Running(3):
        assert {m.mount_id for m in mountinfo.mounts()} == before


def test_its_mount_table_shows_no_path_of_the_host(tmp_path: Path) -> None:
    assert str(state_root()) not in output(3, "--", "cat", "/proc/self/mountinfo")
    assert "cache" not in output(3, "--", "cat", "/proc/self/mountinfo")


def test_system_mounts_are_as_safe_as_the_specification_asks() -> None:
    with Running(3) as container:
        options = {m.mountpoint: set(m.options) for m in mountinfo.mounts(container.pid)}
    for point in ("/proc", "/sys", "/dev/shm", "/dev/mqueue"):
        assert options[point] >= SAFE, point
    assert "ro" in options["/sys"]
    assert options["/dev"] >= {"nosuid", "nodev"}
    assert "nodev" in options["/"]
    assert options["/dev/pts"] >= {"nosuid", "noexec"}


def test_there_is_no_way_back_to_the_hosts_root() -> None:
    """The old root is gone from the mount table, so ".." and a second chroot lead nowhere."""
    script = "cd /; cd ../../..; pwd; mkdir -p /jail; chroot /jail /bin/true 2>/dev/null; ls -d /.."
    assert lines(3, "--", *SHELL, script) == ["/", "/.."]
    with Running(3) as container:
        root = os.stat(f"/proc/{container.pid}/root")
        assert (root.st_dev, root.st_ino) != (os.stat("/").st_dev, os.stat("/").st_ino)
        assert not Path(f"/proc/{container.pid}/root/..{state_root()}").exists()


def test_what_it_writes_vanishes_and_the_layers_stay(layers: tuple[str, ...]) -> None:
    before = [listing(layer) for layer in layers]
    script = "echo new >/new; echo changed >/etc/passwd; rm /bin/ls; mkdir -p /a/b; chmod 700 /usr"
    assert output(3, "--", *SHELL, script) == ""
    assert [listing(layer) for layer in layers] == before
    assert lines(3, "--", *SHELL, "ls -d /new /a 2>/dev/null; ls /bin/ls") == ["/bin/ls"]


def test_two_containers_of_one_image_do_not_see_each_others_files() -> None:
    script = f"echo $0 >/mine; {READY} read line; cat /mine"
    with Running(3, script=script) as first, Running(3, script=script) as second:
        assert (Path(f"/proc/{first.pid}/root/mine")).exists()
        Path(f"/proc/{second.pid}/root/mine").write_text("other\n")
        first.end()
        assert first.rest() == "/bin/sh\n"


def test_a_new_proc_shows_its_own_processes_only() -> None:
    shown = lines(3, "--", *SHELL, "ls /proc | grep -E '^[0-9]+$' | sort -n")
    assert shown[0] == "1"
    assert all(int(pid) < 10 for pid in shown)


def test_dev_has_its_nodes_and_no_disks() -> None:
    script = "cd /dev; stat -c '%n %F %t:%T %a' null zero full random urandom tty; ls"
    shown = lines(3, "--", *SHELL, script)
    nodes = ["null 1:3", "zero 1:5", "full 1:7", "random 1:8", "urandom 1:9", "tty 5:0"]
    for line, node in zip(shown[:6], nodes, strict=True):
        name, number = node.split()
        assert line == f"{name} character special file {number} 666"
    names = "core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero"
    assert " ".join(sorted(shown[6:])) == names


def test_the_nodes_work() -> None:
    script = """
        echo x >/dev/null && head -c 3 /dev/zero | wc -c && head -c 3 /dev/urandom | wc -c
        echo x 2>/dev/null >/dev/full || echo full; echo out >/dev/stdout; ls /dev/fd/ | head -1
        echo shared >/dev/shm/x && cat /dev/shm/x"""
    assert lines(3, "--", *SHELL, script) == ["3", "3", "full", "out", "0", "shared"]


def test_the_hosts_own_node_cannot_be_changed() -> None:
    before = os.stat("/dev/full")
    done = run(3, "--", *SHELL, "chmod 600 /dev/full || touch /dev/full || chown 1 /dev/full")
    assert done.stderr.count("Read-only file system") == 3
    after = os.stat("/dev/full")
    assert (after.st_mode, after.st_uid) == (before.st_mode, before.st_uid)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("mount -t tmpfs tmpfs /dev; touch /dev/null", "is not the device of that name"),
        ("mount -o remount,bind,nodev /dev", "mounted nodev"),
        ("mount -t tmpfs tmpfs /dev", "mount a devtmpfs on /dev"),
    ],
    ids=["not-a-device", "nodev", "missing"],
)
def test_a_host_without_usable_devices_is_named(change: str, said: str) -> None:
    wrapper = ["unshare", "--mount", "sh", "-ec", f'exec 3</dev/null; {change}; exec "$@"', "sh"]
    assert said in refused(3, "--", "true", wrapper=wrapper)


def test_message_queues_are_its_own() -> None:
    assert lines(3, "--", *SHELL, "touch /dev/mqueue/q && ls /dev/mqueue") == ["q"]
    assert output(3, "--", "ls", "/dev/mqueue") == ""


def test_the_environment_is_the_images_and_none_of_the_callers() -> None:
    environment = {**os.environ, "SECRET": "canary", "LD_PRELOAD": "", "PYTHONPATH": "/canary"}
    shown = dict(line.split("=", 1) for line in lines(3, "--", "env", env=environment))
    assert "canary" not in str(shown)
    assert set(shown) - {"PWD", "SHLVL"} == {"PATH", "HOME", "HOSTNAME", "TRACEPARENT"}


def test_env_sets_a_variable_and_the_last_one_wins() -> None:
    options = ("--env", "A=1 2", "--env", "PATH=/usr/bin", "--env", "A=3=4")
    shown = lines(3, *options, "--no-trace", "--", "env")
    assert {"A=3=4", "PATH=/usr/bin"} <= set(shown)
    assert not any(line.startswith("TRACEPARENT") for line in shown)


def test_a_volume_stays(tmp_path: Path) -> None:
    script = "cat /data/greeting; echo from inside >/data/answer; touch /data/owned"
    (tmp_path / "greeting").write_text("hello\n")
    assert output(3, "--volume", f"{tmp_path}:/data", "--", *SHELL, script) == "hello\n"
    assert (tmp_path / "answer").read_text() == "from inside\n"


def test_a_volume_may_be_a_file_and_a_relative_path(tmp_path: Path) -> None:
    (tmp_path / "motd").write_text("hello\n")
    shown = output(3, "--volume", "./motd:/a/b/motd:ro", "--", "cat", "/a/b/motd", cwd=tmp_path)
    assert shown == "hello\n"


def test_read_only_is_recursive(tmp_path: Path) -> None:
    """A mount below the volume would otherwise stay writable (mount_setattr(2), AT_RECURSIVE)."""
    below = tmp_path / "below"
    below.mkdir()
    mount = ["unshare", "--mount", "sh", "-ec", f'mount -t tmpfs tmpfs {below}; exec "$@"', "sh"]
    script = "touch /data/x || touch /data/below/x || grep /data/below /proc/self/mountinfo"
    done = run(3, "--volume", f"{tmp_path}:/data:ro", "--", *SHELL, script, wrapper=mount)
    assert done.returncode == 0
    assert done.stderr.count("Read-only file system") == 2
    assert "tmpfs" in done.stdout


def test_without_ro_what_is_mounted_below_a_volume_is_there_too(tmp_path: Path) -> None:
    below = tmp_path / "below"
    below.mkdir()
    script = f'mount -t tmpfs tmpfs {below}; echo deep >{below}/file; exec "$@"'
    wrapper = ["unshare", "--mount", "sh", "-ec", script, "sh"]
    arguments = ("--volume", f"{tmp_path}:/data", "--", "cat", "/data/below/file")
    assert output(3, *arguments, wrapper=wrapper) == "deep\n"


def test_a_mount_that_appears_on_the_host_later_does_not_appear_inside(tmp_path: Path) -> None:
    script = f"mount -t tmpfs tmpfs {tmp_path}; mount --make-shared {tmp_path}"
    wrapper = ["unshare", "--mount", "sh", "-ec", script + '; exec "$@"', "sh"]
    with Running(3, "--volume", f"{tmp_path}:/data", wrapper=wrapper) as container:
        (tmp_path / "x").mkdir(exist_ok=True)
        for mount in mountinfo.mounts(container.pid):
            assert not any(word.startswith(("shared:", "master:")) for word in mount.options)
        propagation = container.proc("mountinfo")
    assert "shared:" not in propagation
    assert "master:" not in propagation


def test_tmpfs_is_empty_writable_and_takes_options() -> None:
    options = ("--tmpfs", "/etc", "--tmpfs", "/small:size=64k,mode=700")
    script = "ls /etc; stat -c %a /small; cat /dev/zero >/small/x; grep small /proc/mounts"
    done = run(3, *options, "--", *SHELL, script)
    assert done.stdout.splitlines()[0] == "700"
    assert "No space left on device" in done.stderr
    assert "size=64k" in done.stdout


def test_a_later_mount_lies_over_an_earlier_one(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "file").write_text("inner\n")
    options = ("--volume", f"{tmp_path}:/data", "--volume", f"{tmp_path}/in:/data/in/in")
    assert output(3, *options, "--", "cat", "/data/in/in/file") == "inner\n"


def test_rootfs_is_a_directory_of_the_callers(tmp_path: Path, layers: tuple[str, ...]) -> None:
    (tmp_path / "bin").mkdir()
    busybox = next(Path(layer) / "bin/busybox" for layer in layers if _has(layer))
    os.link(busybox, tmp_path / "bin/sh")
    before = listing(str(tmp_path))
    shown = lines(3, "--rootfs", str(tmp_path), "--", "/bin/sh", "-c", "echo /*; echo x >/x")
    assert shown == ["/bin /dev /proc /sys"]
    assert listing(str(tmp_path)) == before


def _has(layer: str) -> bool:
    return (
        stat.S_ISREG((Path(layer) / "bin/busybox").stat().st_mode)
        if (Path(layer) / "bin/busybox").exists()
        else False
    )


@pytest.mark.parametrize("destination", ["/proc/self", "/dev/pts/x", "/link/x", "/up/../../x"])
def test_no_link_of_the_image_leads_a_mount_to_the_host(
    tmp_path: Path, layers: tuple[str, ...], destination: str
) -> None:
    """The root of the attack: a symbolic link where minirt makes a mount point (CVE-2021-30465)."""
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tmp_path / "root"
    (root / "bin").mkdir(parents=True)
    os.link(next(Path(x) / "bin/busybox" for x in layers if _has(x)), root / "bin/sh")
    (root / "link").symlink_to(outside)
    (root / "up").mkdir()
    volume = tmp_path / "volume"
    volume.mkdir()
    options = ("--rootfs", str(root), "--volume", f"{volume}:{destination}")
    run(3, *options, "--", "/bin/sh", "-c", "exit")
    assert list(outside.iterdir()) == []
    assert not (tmp_path / "x").exists()
    assert sorted(path.name for path in root.iterdir()) == ["bin", "link", "up"]


def test_the_working_directory_is_the_root() -> None:
    assert output(3, "--", "pwd") == "/\n"


def test_a_very_deep_directory_is_removed_too() -> None:
    script = "mkdir /deep; cd /deep; i=0; while [ $i -lt 1500 ]; do mkdir d; cd d; i=$((i+1)); done"
    assert run(3, "--", *SHELL, script).returncode == 0


def test_what_it_made_unreadable_is_removed_too() -> None:
    script = "mkdir -p /x/y && chmod 000 /x/y /x && mkfifo /fifo && mknod /null c 1 3"
    assert run(3, "--", *SHELL, script).returncode == 0


def test_step_3_has_no_options_of_later_steps() -> None:
    said = refused(3, "--publish", "80:80", "--", "true")
    assert "--publish: is not an option of step 3" in said
    assert "python -m minirt.step4" in said


def test_other_users_inside_can_use_it_whatever_the_callers_umask() -> None:
    script = "stat -c %a / /a /a/b"
    assert lines(3, "--tmpfs", "/a/b/c", "--", *SHELL, script, umask=0o077) == ["755"] * 3
