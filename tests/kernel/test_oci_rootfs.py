"""The root of a container, its cgroup files, and what is hidden in it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from mounted import Line, created, inside, table, top
from oci import PROGRAM, Runtime

HIERARCHIES = [m for m in table(os.getpid()) if m.fstype == "cgroup"]
RO = ["nosuid", "noexec", "nodev", "ro"]


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    return Runtime(tmp_path, "sleep", "60")


def cgroup_entry(runtime: Runtime, *options: str) -> None:
    sysfs = {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": RO}
    runtime.config["mounts"].append(sysfs)
    runtime.config["mounts"].append(
        {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
         "options": ["nosuid", "noexec", "nodev", *options]}
    )  # fmt: skip
    runtime.config["linux"]["cgroupsPath"] = f"/minirt-files-{os.getpid()}"


def test_a_read_only_root_can_be_mounted_in_and_not_written_to(runtime: Runtime) -> None:
    runtime.config["root"]["readonly"] = True
    with created(runtime) as pid:
        assert "ro" in top(pid, "/").options
        assert "rw" in top(pid, "/dev").options


def test_a_root_that_is_a_link_is_followed_on_the_host(runtime: Runtime, tmp_path: Path) -> None:
    (runtime.bundle / "linked").symlink_to("rootfs")
    runtime.config["root"]["path"] = "linked"
    with created(runtime) as pid:
        assert inside(pid, "/bin/busybox").exists()


def test_no_pivot_changes_the_root_all_the_same(runtime: Runtime, tmp_path: Path) -> None:
    runtime.config["process"]["args"] = ["sh", "-c", "ls -d /bin /tmp/pytest-of-root; ls -d /.."]
    done = runtime.call("run", "--no-pivot", "c1")
    assert done.stdout.split() == ["/bin", "/.."]
    assert "/tmp/pytest-of-root" in done.stderr


@pytest.mark.parametrize("options", [(), ("--no-pivot",)], ids=str)
def test_what_is_masked_is_not_seen_in_a_new_procfs(
    runtime: Runtime, options: tuple[str, ...]
) -> None:
    """The kernel lets nobody mount more than they see; the host's procfs must not be seen."""
    runtime.config["linux"]["maskedPaths"] = ["/proc/meminfo"]
    script = "echo made; mount -t proc none /proc && echo mounted"
    to_map_root = ["CAP_SETFCAP"]
    sets = dict.fromkeys(("bounding", "permitted"), to_map_root)
    runtime.config["process"]["capabilities"] = sets
    runtime.config["process"]["args"] = ["busybox", "unshare", "-mrpf", "sh", "-c", script]
    done = runtime.call("run", *options, "c1")
    assert done.stdout == "made\n", done


@pytest.mark.skipif(not HIERARCHIES, reason="no cgroup hierarchy of version 1")
@pytest.mark.parametrize("access", ["ro", "rw"])
def test_every_hierarchy_is_mounted_with_its_own_controllers(runtime: Runtime, access: str) -> None:
    cgroup_entry(runtime, access)
    with created(runtime) as pid:
        assert access in top(pid, "/sys/fs/cgroup").options
        own = dict(line.split(":")[1:] for line in _cgroups(pid))
        for host in HIERARCHIES:
            seen = top(pid, f"/sys/fs/cgroup/{os.path.basename(host.mountpoint)}")
            assert seen.super_options == host.super_options
            assert {access, "nosuid", "nodev", "noexec"} <= set(seen.options)
            names = next(n for n in own if n and set(n.split(",")) <= set(host.super_options))
            assert seen.root == own[names]


@pytest.mark.skipif(not HIERARCHIES, reason="no cgroup hierarchy of version 1")
def test_in_a_cgroup_namespace_the_own_cgroup_is_the_root(runtime: Runtime) -> None:
    cgroup_entry(runtime, "ro")
    runtime.config["linux"]["namespaces"].append({"type": "cgroup"})
    with created(runtime) as pid:
        for host in HIERARCHIES:
            name = os.path.basename(host.mountpoint)
            procs = inside(pid, f"/sys/fs/cgroup/{name}/cgroup.procs").read_text().split()
            mine = next(m for m in table(pid) if m.mountpoint == f"/sys/fs/cgroup/{name}")
            assert mine.super_options == host.super_options
            if any(f"{name}:/minirt-files" in line for line in _cgroups(pid)):
                assert procs == [str(pid)]


@pytest.mark.parametrize("own", [True, False])
def test_with_version_2_alone_it_is_one_file_system(runtime: Runtime, own: bool) -> None:  # noqa: FBT001
    """In a mount namespace where nothing of version 1 is to be seen."""
    cgroup_entry(runtime, "ro")
    del runtime.config["linux"]["cgroupsPath"]
    if own:
        runtime.config["linux"]["namespaces"].append({"type": "cgroup"})
    runtime.config["process"]["args"] = ["grep", " /sys/fs/cgroup", "/proc/self/mountinfo"]
    runtime.call("state", "none")  # writes config.json
    words = " ".join([*PROGRAM, "--root", str(runtime.root), "run", "c1"])
    hide = "; ".join(f"umount {m.mountpoint}" for m in HIERARCHIES)
    script = f"set -e; {hide}; cd {runtime.bundle}; {words}"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, check=False
    )
    (line,) = [Line(line) for line in done.stdout.splitlines()]
    assert (line.mountpoint, line.fstype, line.root) == ("/sys/fs/cgroup", "cgroup2", "/")
    assert {"ro", "nosuid", "nodev", "noexec"} <= set(line.options)


def _cgroups(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cgroup").read_text().splitlines()


def test_a_plain_directory_of_a_controllers_name_is_no_hierarchy(runtime: Runtime) -> None:
    """Engines leave such directories below /sys/fs/cgroup, where it is a tmpfs."""
    litter = Path("/sys/fs/cgroup/net_cls")
    if not HIERARCHIES or litter.exists():
        pytest.skip("needs a tmpfs at /sys/fs/cgroup without net_cls")
    litter.mkdir()
    cgroup_entry(runtime, "ro")
    try:
        with created(runtime) as pid:
            assert not inside(pid, str(litter)).exists()
    finally:
        litter.rmdir()


def test_masked_and_read_only_paths(runtime: Runtime) -> None:
    hidden = ["/proc/keys", "/proc/no/such", "/etc"]
    runtime.config["linux"] |= {"maskedPaths": hidden, "readonlyPaths": ["/proc/sys", "/no"]}
    with created(runtime) as pid:
        assert inside(pid, "/proc/keys").is_char_device()
        assert list(inside(pid, "/etc").iterdir()) == []
        assert "ro" in top(pid, "/etc").options
        assert "ro" in top(pid, "/proc/sys").options


def test_without_a_mount_namespace_the_host_keeps_its_root(runtime: Runtime) -> None:
    """In a mount namespace that plays the host: what goes wrong here would go wrong for all."""
    namespaces = runtime.config["linux"]["namespaces"]
    runtime.config["linux"]["namespaces"] = [n for n in namespaces if n["type"] != "mount"]
    runtime.config["process"]["args"] = ["sh", "-c", "ls /bin/busybox; ls /proc/self/ns/pid"]
    runtime.call("state", "none")  # writes config.json
    words = " ".join([*PROGRAM, "--root", str(runtime.root), "run", "c1"])
    script = f"cd {runtime.bundle}; {words}; echo status $?; cat /proc/self/mountinfo; ls -d /root"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("/bin/busybox\n/proc/self/ns/pid\nstatus 0\n"), done.stderr
    assert str(runtime.bundle) not in done.stdout
    assert done.stdout.endswith("/root\n")


@pytest.mark.parametrize("link", ["/run/not/there", "../run/not/there"])
def test_a_mount_point_can_be_a_link_to_what_is_not_there_yet(
    runtime: Runtime, tmp_path: Path, link: str
) -> None:
    """As images have it: /etc/resolv.conf leads to what systemd writes when it starts."""
    rootfs = runtime.bundle / "rootfs"
    for name, source in (("file", tmp_path / "source"), ("directory", tmp_path)):
        (rootfs / "etc" / name).symlink_to(f"{link}-{name}")
        runtime.config["mounts"].append(
            {"destination": f"/etc/{name}", "source": str(source), "options": ["bind"]}
        )
    (tmp_path / "source").write_text("bound")
    assert (
        runtime.output("sh", "-c", "cat /etc/file /run/not/there-directory/source") == "bound" * 2
    )
    assert sorted(os.listdir(rootfs / "run/not")) == ["there-directory", "there-file"]


def test_a_mount_point_that_leads_in_a_circle_is_refused(runtime: Runtime, tmp_path: Path) -> None:
    (runtime.bundle / "rootfs/circle").symlink_to("missing/../circle")
    runtime.config["mounts"].append(
        {"destination": "/circle", "source": str(tmp_path), "options": ["bind"]}
    )
    assert "eloop" in runtime.refusal()


@pytest.mark.parametrize("root", [None, {}, {"path": ""}, {"readonly": True}], ids=str)
def test_without_a_root_nothing_runs_on_the_hosts_files(
    tmp_path: Path, root: dict[str, object] | None
) -> None:
    runtime = Runtime(tmp_path, "true")
    runtime.config["root"] = root
    assert "/root/path: is missing" in runtime.refusal()
    del runtime.config["root"]
    assert "/root/path: is missing" in runtime.refusal()


def test_a_device_that_is_there_already_is_left_as_it_is(tmp_path: Path) -> None:
    """The root may be the host's own, whose devices others have open."""
    runtime = Runtime(tmp_path, "true")
    runtime.config |= {"root": {"path": "/"}, "hostname": "", "mounts": []}
    runtime.config["linux"] = {"namespaces": [{"type": "pid"}]}
    devices = [path for path in Path("/dev").iterdir() if path.is_char_device()]
    before = [path.lstat().st_ino for path in devices]
    runtime.must("run", "c1")
    assert [path.lstat().st_ino for path in devices] == before
