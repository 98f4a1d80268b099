"""Step 6: root with fourteen capabilities, a filter, and with --userns none of it outside."""

from __future__ import annotations

import itertools
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from steps import Running, lines, output, refused, run

from minirt.linux import caps, mountinfo

NONE = ("--network", "none")
SHELL = ("--", "/bin/sh", "-c")
USERNS = pytest.mark.parametrize("userns", [(), ("--userns",)], ids=["host-ids", "userns"])


def test_it_has_dockers_capabilities_no_new_privs_and_a_filter() -> None:
    with Running(6, *NONE) as container:
        kept = f"{caps.mask(caps.DEFAULT):016x}"
        sets = {name: container.status(name)[0] for name in ("CapPrm", "CapEff", "CapBnd")}
        assert set(sets.values()) == {kept}
        for name in ("CapInh", "CapAmb"):
            assert container.status(name) == ["0" * 16]
        assert container.status("NoNewPrivs") == ["1"]
        assert container.status("Seccomp") == ["2"]


def test_options_change_the_sets() -> None:
    options = ("--cap-drop", "ALL", "--cap-add", "net_bind_service")
    with Running(6, *NONE, *options) as container:
        assert container.status("CapBnd") == [f"{caps.mask(['CAP_NET_BIND_SERVICE']):016x}"]
    with Running(6, *NONE, "--cap-drop", "CHOWN") as container:
        assert int(container.status("CapBnd")[0], 16) & caps.mask(["CAP_CHOWN"]) == 0


# What root of step 5 may do, and what the kernel says to root of step 6. None changes the machine.
ATTEMPTS = {
    "mount -t tmpfs none /mnt": "permission denied",
    "mount -o remount,dev / && mknod /zero2 c 1 5 && head -c 1 /zero2": "permission denied",
    "hostname other": "Operation not permitted",
    "unshare -m true": "Operation not permitted",
    "ip link set lo down": "Operation not permitted",
    "dmesg": "Operation not permitted",
    "adjtimex -t $(adjtimex | grep -o 'tick: *[0-9]*' | grep -o '[0-9]*')": "not permitted",
    "cat /proc/sys/kernel/panic >/proc/sys/kernel/panic": "Read-only file system",
    "echo other >/proc/sys/kernel/hostname": "Read-only file system",
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_what_root_must_not_do_fails(attempt: str) -> None:
    assert run(5, *NONE, *SHELL, attempt).returncode == 0
    for userns in ((), ("--userns",)):
        done = run(6, *NONE, *userns, *SHELL, attempt)
        assert done.returncode != 0
        assert ATTEMPTS[attempt] in done.stderr


PLACES = ("", "/dev", "/dev/shm", "/temporary", "/volume")


def test_no_device_opens_that_the_container_made(tmp_path: Path) -> None:
    """A second /dev/zero stands for the host's disk: it does no harm where this test fails."""
    options = ("--tmpfs", "/temporary", "--volume", f"{tmp_path}:/volume")
    nodes = " ".join(f"{place}/zero2" for place in PLACES)
    script = f"for node in {nodes}; do mknod $node c 1 5; head -c 1 $node | wc -c; done"
    done = run(6, *NONE, *options, *SHELL, script)
    assert done.stderr.count("Permission denied") == len(PLACES), done
    assert done.stdout.split() == ["0"] * len(PLACES)
    assert all(stat.S_ISCHR(path.stat().st_mode) for path in tmp_path.iterdir())


@USERNS
def test_no_device_of_a_volume_opens(tmp_path: Path, userns: tuple[str, ...]) -> None:
    os.mknod(tmp_path / "zero2", stat.S_IFCHR, os.makedev(1, 5))
    (tmp_path / "zero2").chmod(0o666)
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_mode & 0o001 == 0:
            parent.chmod(parent.stat().st_mode | 0o011)
    assert (tmp_path / "zero2").open("rb").read(1) == b"\0"
    done = run(6, *NONE, *userns, "--volume", f"{tmp_path}:/v", *SHELL, "head -c 1 /v/zero2")
    assert done.stdout == ""
    assert "Permission denied" in done.stderr


@USERNS
def test_every_mount_that_can_hold_a_node_is_nodev(tmp_path: Path, userns: tuple[str, ...]) -> None:
    options = (*userns, "--tmpfs", "/temporary", "--volume", f"{tmp_path}:/volume")
    with Running(6, *NONE, *options) as container:
        found = {m.mountpoint for m in mountinfo.mounts(container.pid) if "nodev" not in m.options}
    nodes = {f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty")}
    masks = {path for path in found if path.startswith("/proc/")}  # /dev/null over a file
    assert found == nodes | masks | {"/dev/pts"}  # where devpts makes the nodes, nobody else


@USERNS
def test_what_root_may_do_works(userns: tuple[str, ...]) -> None:
    script = """
        chown 1000:1000 /etc/motd 2>/dev/null || { touch /etc/motd; chown 1000:1000 /etc/motd; }
        stat -c %u:%g /etc/motd; chmod 4755 /etc/motd; su -s /bin/sh -c 'id -u' nobody || id -u
        ping -c 1 127.0.0.1 | grep -o '1 packets received'; mkdir /new; rm -r /new
        kill -0 1 && echo signalled; chroot / true && echo chroot"""
    shown = lines(6, *NONE, *userns, *SHELL, script)
    assert shown[0] == "1000:1000"
    assert shown[-3:] == ["1 packets received", "signalled", "chroot"]


@USERNS
def test_masked_paths_are_empty_and_protected_ones_read_only(userns: tuple[str, ...]) -> None:
    script = """
        for path in /proc/kcore /proc/keys /proc/timer_list /proc/interrupts; do
            [ ! -e $path ] || [ "$(head -c 1 $path 2>&1 | wc -c)" = 0 ] || echo "$path is shown"
        done
        ls -A /sys/firmware /proc/acpi /proc/scsi 2>/dev/null | grep -v : | grep .
        for path in /proc/sys /proc/irq /proc/bus /proc/fs; do
            grep -q " $path .*ro," /proc/self/mountinfo || echo "$path is not read-only"
        done
        exit 0"""
    without = output(5, *NONE, *SHELL, script)
    assert {"/proc/interrupts is shown", "/proc/sys is not read-only"} <= set(without.splitlines())
    assert output(6, *NONE, *userns, *SHELL, script) == ""


def test_userns_makes_root_an_ordinary_user_outside() -> None:
    with Running(6, *NONE, "--userns", script="id -u >/id; echo ready; read line") as container:
        uid = int(container.status("Uid")[0])
        assert uid >= 100_000
        assert (Path(f"/proc/{container.pid}/root/id")).read_text() == "0\n"
        assert os.stat(f"/proc/{container.pid}/root/id").st_uid == uid
        assert os.stat(f"/proc/{container.pid}/root/bin").st_uid == uid  # the image's files too
        assert container.status("Groups") == []


@USERNS
def test_its_mount_table_shows_no_path_of_the_host(userns: tuple[str, ...]) -> None:
    shown = output(6, *NONE, *userns, "--", "grep", " / / ", "/proc/self/mountinfo")
    options = shown.strip().rpartition(" ")[2].split(",")
    paths = {word for word in options if word.startswith(("lowerdir", "upperdir", "workdir"))}
    assert paths == {"lowerdir=l1:l0", "upperdir=upper", "workdir=work"}


@USERNS
def test_a_state_directory_with_a_long_name_is_no_obstacle(
    playground: Path, userns: tuple[str, ...]
) -> None:
    state = playground / ("long" * 60) / ("long" * 10)
    state.mkdir(parents=True, exist_ok=True)
    for directory in (state, state.parent):
        directory.chmod(0o711)
    environment = {**os.environ, "MINIRT_STATE": str(state)}
    assert output(6, *NONE, *userns, "--", "cat", "/etc/motd", env=environment) != ""
    shutil.rmtree(state.parent)


def test_userns_gives_no_power_over_the_hosts_files(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary")
    secret.chmod(0o600)
    (tmp_path / "open").mkdir(mode=0o777)
    (tmp_path / "open").chmod(0o777)
    reachable(tmp_path)
    script = "cat /data/secret; touch /data/new; touch /data/open/new; exit 0"
    done = run(6, *NONE, "--userns", "--volume", f"{tmp_path}:/data", *SHELL, script)
    assert "canary" not in done.stdout
    assert done.stderr.count("Permission denied") == 2
    assert (tmp_path / "open" / "new").stat().st_uid >= 100_000


def reachable(path: Path) -> None:
    """Let every user pass through pytest's directories."""
    for parent in (path, *path.parents):
        if parent.stat().st_mode & 0o001 == 0:
            parent.chmod(parent.stat().st_mode | 0o011)


def test_a_set_user_id_program_gives_nothing() -> None:
    """Su, the classic one, run by nobody where root needs no password."""
    script = """
        mkdir /own; cp /bin/busybox /own/su; chmod 4755 /own/su
        sed -i s/root:x:/root::/ /etc/passwd
        su -s /bin/sh -c '/own/su root -c "id -u"' nobody"""
    assert output(5, *NONE, *SHELL, script) == "0\n"
    done = run(6, *NONE, *SHELL, script)
    assert done.stdout == ""
    assert "must be suid to work" in done.stderr


@USERNS
def test_nothing_of_the_hosts_is_open_inside(userns: tuple[str, ...]) -> None:
    with Running(6, *NONE, *userns) as container:
        descriptors = sorted(os.listdir(f"/proc/{container.pid}/fd"))
        assert descriptors == ["0", "1", "2"]
        for link in ("cwd", "root"):
            assert os.readlink(f"/proc/{container.pid}/{link}") == "/"


def test_a_profile_may_be_left_out() -> None:
    with Running(6, *NONE, "--seccomp", "unconfined") as container:
        assert container.status("Seccomp") == ["0"]
    assert "is not a profile" in refused(6, "--seccomp", "nonsense", "--", "true")


def test_each_plan_contains_the_former_steps_in_its_order() -> None:
    plans = []
    for step in range(1, 7):
        argv = [line.split()[0] for line in lines(step, "--plan")]
        assert argv
        plans.append(argv)
    for smaller, larger in itertools.pairwise(plans):
        assert [name for name in larger if name in smaller] == smaller


def test_a_plan_makes_nothing() -> None:
    before = subprocess.run(["ip", "link"], capture_output=True, check=True).stdout
    shown = output(6, "--plan", "--publish", "8080:80", "--memory", "64m")
    assert "seccomp" in shown
    assert subprocess.run(["ip", "link"], capture_output=True, check=True).stdout == before


def test_userns_works_in_a_state_directory_made_under_any_umask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reachable(tmp_path)
    monkeypatch.setenv("MINIRT_STATE", f"{tmp_path}/new/state")
    assert output(6, *NONE, "--userns", "--", "id", "-u", umask=0o077) == "0\n"


def test_a_state_directory_out_of_its_reach_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("MINIRT_STATE", str(tmp_path))
    said = refused(6, *NONE, "--userns", "--", "true")
    assert "MINIRT_STATE" in said
    assert "EACCES" in said
    assert list((tmp_path / "containers").iterdir()) == []


def test_userns_with_the_hosts_network() -> None:
    shown = output(6, "--userns", "--network", "host", "--", "readlink", "/proc/self/ns/net")
    assert shown.strip() == os.readlink("/proc/self/ns/net")
