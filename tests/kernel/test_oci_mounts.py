"""`mounts` of config.json: each option as the specification says, seen in mountinfo."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from mounted import created, inside, table, top
from oci import Runtime

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAPS = [{"containerID": 0, "hostID": 200_000, "size": 65_536}]


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    return Runtime(tmp_path, "sleep", "60")


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Path]:
    """A shared tmpfs of the host's, with another mounted in it."""
    path = tmp_path / "source"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "nosuid", "outer", path], check=True)
    subprocess.run(["mount", "--make-shared", path], check=True)
    (path / "file").write_text("kept")
    (path / "below").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "inner", path / "below"], check=True)
    yield path
    subprocess.run(["umount", "-R", path], check=True)


def add(runtime: Runtime, fstype: str, *options: str, **members: Any) -> None:
    entry = {"destination": "/data", "type": fstype, "source": fstype, "options": list(options)}
    runtime.config["mounts"].append(entry | members)


ATTRIBUTES = (
    (["ro"], {"ro", "relatime"}),
    (["rw", "nosuid", "nodev", "noexec"], {"rw", "nosuid", "nodev", "noexec", "relatime"}),
    (["nosuid", "suid"], {"rw", "relatime"}),
    (["noatime"], {"rw", "noatime"}),
    (["strictatime"], {"rw"}),
    (["strictatime", "relatime"], {"rw", "relatime"}),
    (["nodiratime"], {"rw", "nodiratime", "relatime"}),
    (["nosymfollow"], {"rw", "relatime", "nosymfollow"}),
)


@pytest.mark.parametrize(("options", "seen"), ATTRIBUTES, ids=str)
def test_attributes_of_a_new_file_system(
    runtime: Runtime, options: list[str], seen: set[str]
) -> None:
    add(runtime, "tmpfs", *options, "size=64k")
    with created(runtime) as pid:
        assert set(top(pid, "/data").options) == seen
        assert "size=64k" in top(pid, "/data").super_options


@pytest.mark.parametrize("option", ["sync", "dirsync", "lazytime"])
def test_options_of_the_whole_file_system(runtime: Runtime, option: str) -> None:
    add(runtime, "tmpfs", option)
    with created(runtime) as pid:
        assert option in top(pid, "/data").super_options


def test_a_bind_mount_keeps_what_its_source_has(runtime: Runtime, source: Path) -> None:
    add(runtime, "none", "bind", "ro", source=str(source))
    with created(runtime) as pid:
        assert {"ro", "nosuid"} <= set(top(pid, "/data").options)
        assert inside(pid, "/data/file").read_text() == "kept"
        assert len([m for m in table(pid) if m.mountpoint.startswith("/data")]) == 1


def test_a_bind_mount_loses_what_it_is_told_to_lose(runtime: Runtime, source: Path) -> None:
    add(runtime, "none", "bind", "suid", source=str(source))
    with created(runtime) as pid:
        assert "nosuid" not in top(pid, "/data").options


@pytest.mark.parametrize(("option", "below"), [("ro", "rw"), ("rro", "ro")])
def test_only_an_r_reaches_the_mounts_below(
    runtime: Runtime, source: Path, option: str, below: str
) -> None:
    add(runtime, "none", "rbind", option, source=str(source))
    with created(runtime) as pid:
        assert "ro" in top(pid, "/data").options
        assert below in top(pid, "/data/below").options


PROPAGATION = (
    ([], set()),
    (["rprivate"], set()),
    (["rslave"], {"master"}),
    (["rshared"], {"shared"}),
    (["slave", "shared"], {"master", "shared"}),
    (["unbindable"], {"unbindable"}),
)


@pytest.mark.parametrize(("options", "seen"), PROPAGATION, ids=str)
def test_propagation_of_a_bind_mount(
    runtime: Runtime, source: Path, options: list[str], seen: set[str]
) -> None:
    add(runtime, "none", "rbind", *options, source=str(source))
    with created(runtime) as pid:
        assert top(pid, "/data").propagation == seen
        (source / "later").mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "later", source / "later"], check=True)
        heard = any(m.mountpoint == "/data/later" for m in table(pid))
        assert heard == bool(seen & {"master", "shared"})


@pytest.mark.parametrize("propagation", ["rshared", "rslave", "rprivate"])
def test_the_mounts_are_listed_in_their_order(
    runtime: Runtime, source: Path, propagation: str
) -> None:
    """The order of config.json (config.md, "Mounts"), also where one stays with the host."""
    add(runtime, "tmpfs", destination="/first")
    add(runtime, "none", "rbind", propagation, source=str(source), destination="/second")
    add(runtime, "tmpfs", destination="/third")
    with created(runtime) as pid:
        listed = [mount.mountpoint for mount in table(pid)]
        assert inside(pid, "/second/below").is_mount()
    assert [place for place in listed if place in ("/first", "/second", "/third")] == [
        "/first", "/second", "/third"
    ]  # fmt: skip


@pytest.mark.parametrize("link", ["/later/x", "../../../later/x", "/over/x"])
@pytest.mark.parametrize("what", ["file", "."])
def test_a_link_to_what_is_not_there_yet_leads_to_the_mount_point(
    runtime: Runtime, source: Path, link: str, what: str
) -> None:
    """As in images whose /etc/resolv.conf belongs to a service that is not running."""
    rootfs = runtime.bundle / "rootfs"
    (rootfs / "over").symlink_to("later")
    (rootfs / "place").symlink_to(link)
    add(runtime, "none", "bind", source=str(source / what), destination="/place")
    with created(runtime) as pid:
        assert [m.mountpoint for m in table(pid) if "x" in m.mountpoint] == ["/later/x"]
    assert (rootfs / "later/x").is_dir() == (what == ".")


def test_a_mount_made_inside_reaches_the_host_where_it_is_shared(
    runtime: Runtime, source: Path
) -> None:
    add(runtime, "none", "rbind", "rshared", source=str(source))
    add(runtime, "tmpfs", destination="/data/below", source="from-inside")
    with created(runtime):
        host = [m for m in table(os.getpid()) if m.mountpoint == str(source / "below")]
        assert host[-1].source == "from-inside"
    subprocess.run(["umount", source / "below"], check=True)


def test_nothing_else_that_is_mounted_inside_reaches_the_host(
    runtime: Runtime, source: Path
) -> None:
    rootfs = runtime.bundle / "rootfs"
    subprocess.run(["mount", "--rbind", rootfs, rootfs], check=True)
    subprocess.run(["mount", "--make-rshared", rootfs], check=True)
    before = [m.mountpoint for m in table(os.getpid())]
    add(runtime, "none", "rbind", "rslave", source=str(source))
    runtime.config["linux"]["rootfsPropagation"] = "rshared"
    try:
        with created(runtime) as pid:
            assert "shared" in top(pid, "/").propagation
            assert [m.mountpoint for m in table(os.getpid())] == before
    finally:
        subprocess.run(["umount", rootfs], check=True)


@pytest.mark.parametrize("recursive", ["", "r"])
@pytest.mark.parametrize("kind", ["private", "slave", "shared", "unbindable"])
def test_propagation_of_the_root(runtime: Runtime, kind: str, recursive: str) -> None:
    runtime.config["linux"]["rootfsPropagation"] = recursive + kind
    with created(runtime) as pid:
        wanted = {kind} & {"shared", "unbindable"}
        assert top(pid, "/").propagation & {"shared", "unbindable"} == wanted
        assert top(pid, "/proc").propagation == (wanted if recursive else set())


def test_a_file_is_bound_and_its_mount_point_made(runtime: Runtime, tmp_path: Path) -> None:
    (runtime.bundle / "motd").write_text("hello")
    add(runtime, "bind", destination="etc/deep/motd", source="motd")
    with created(runtime) as pid:
        assert inside(pid, "/etc/deep/motd").read_text() == "hello"


def test_later_mounts_lie_on_earlier_ones(runtime: Runtime) -> None:
    add(runtime, "tmpfs", source="first")
    add(runtime, "tmpfs", destination="/data/in", source="second")
    add(runtime, "tmpfs", source="third")
    with created(runtime) as pid:
        seen = [(m.mountpoint, m.source) for m in table(pid) if m.mountpoint.startswith("/data")]
        assert seen == [("/data", "first"), ("/data/in", "second"), ("/data", "third")]
        assert list(inside(pid, "/data").iterdir()) == []


def test_tmpcopyup_starts_with_what_it_covers(runtime: Runtime) -> None:
    covered = runtime.bundle / "rootfs/data"
    (covered / "sub").mkdir(parents=True)
    (covered / "sub/file").write_text("copied")
    (covered / "link").symlink_to("/etc/shadow")
    os.chown(covered / "sub", 7, 8)
    (covered / "sub").chmod(0o2751)
    add(runtime, "tmpfs", "tmpcopyup", "ro", "nosuid")
    with created(runtime) as pid:
        assert inside(pid, "/data/sub/file").read_text() == "copied"
        assert os.readlink(inside(pid, "/data/link")) == "/etc/shadow"
        status = inside(pid, "/data/sub").stat()
        assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (7, 8, 0o2751)
        assert {"ro", "nosuid"} <= set(top(pid, "/data").options)


def test_a_tmpfs_without_a_mode_has_that_of_what_it_covers(runtime: Runtime) -> None:
    (runtime.bundle / "rootfs/data").mkdir(mode=0o750)
    add(runtime, "tmpfs", "nosuid")
    add(runtime, "tmpfs", "mode=700", destination="/etc")
    add(runtime, "tmpfs", destination="/new")
    with created(runtime) as pid:
        modes = [inside(pid, path).stat().st_mode & 0o7777 for path in ("/data", "/etc", "/new")]
        assert modes == [0o750, 0o700, 0o1777]
        assert "nosuid" in top(pid, "/data").options


def test_ids_are_mapped_without_a_user_namespace(runtime: Runtime, tmp_path: Path) -> None:
    directory = tmp_path / "owned"
    directory.mkdir()
    maps = [{"containerID": 0, "hostID": 1000, "size": 10}]
    add(runtime, "bind", "idmap", source=str(directory), uidMappings=maps, gidMappings=maps)
    with created(runtime) as pid:
        assert "idmapped" in top(pid, "/data").options
        assert inside(pid, "/data").stat().st_uid == 1000


def with_users(runtime: Runtime) -> None:
    runtime.config["linux"]["namespaces"].append({"type": "user"})
    runtime.config["linux"] |= {"uidMappings": MAPS, "gidMappings": MAPS}
    for path in (runtime.bundle / "rootfs", *(runtime.bundle / "rootfs").rglob("*")):
        os.chown(path, 200_000, 200_000, follow_symlinks=False)
    for parent in runtime.bundle.parents:
        if parent.stat().st_mode & 0o005 != 0o005:
            parent.chmod(parent.stat().st_mode | 0o055)
    runtime.bundle.chmod(0o755)


def test_ids_are_mapped_as_the_containers_are(runtime: Runtime, tmp_path: Path) -> None:
    directory = tmp_path / "owned"
    directory.mkdir()
    with_users(runtime)
    add(runtime, "bind", "idmap", source=str(directory))
    with created(runtime) as pid:
        assert inside(pid, "/data").stat().st_uid == 200_000  # root inside


def test_root_inside_gets_a_source_that_it_cannot_reach(runtime: Runtime, source: Path) -> None:
    source.parent.joinpath("closed").mkdir(mode=0o700)
    hidden = source.parent / "closed/file"
    hidden.write_text("reached")
    with_users(runtime)
    add(runtime, "bind", "ro", source=str(hidden))
    add(runtime, "bind", "rbind", "rprivate", source=str(source), destination="/tree")
    with created(runtime) as pid:
        assert inside(pid, "/data").read_text() == "reached"
        assert "ro" in top(pid, "/data").options
        assert "nosuid" in top(pid, "/tree").options


def test_sysfs_of_the_hosts_network_is_the_hosts_and_read_only(runtime: Runtime) -> None:
    with_users(runtime)
    spaces = runtime.config["linux"]["namespaces"]
    runtime.config["linux"]["namespaces"] = [s for s in spaces if s["type"] != "network"]
    add(runtime, "sysfs", "nosuid", destination="/sys", source="sysfs")
    with created(runtime) as pid:
        below = [m for m in table(pid) if m.mountpoint.startswith("/sys")]
        assert below
        assert all("ro" in m.options for m in below)


def test_an_idmap_without_maps_is_refused(runtime: Runtime) -> None:
    add(runtime, "bind", "idmap", source="/tmp")
    done = runtime.call("create", "c1")
    assert done.returncode == 1
    assert "/mounts/2" in done.stderr


def test_a_missing_source_is_named(runtime: Runtime) -> None:
    add(runtime, "bind", source="/no/such")
    done = runtime.call("create", "c1")
    assert done.returncode == 1
    assert "/mounts/2: /no/such does not exist" in done.stderr


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"destination": "/new", "type": "nosuchfs"}, "/mounts/2 (/new): "),
        ({"destination": "/new", "type": "tmpfs", "options": ["size=x"]}, "/mounts/2 (/new): "),
        ({"destination": "/etc/passwd", "type": "tmpfs"}, "/mounts/2: cannot open /etc/passwd"),
    ],
)
def test_a_mount_that_fails_is_named(runtime: Runtime, entry: dict[str, Any], said: str) -> None:
    runtime.config["mounts"].append(entry)
    assert said in runtime.refusal()


def test_a_mount_label_is_ignored_without_selinux(runtime: Runtime) -> None:
    if os.path.exists("/sys/fs/selinux/enforce"):
        pytest.skip("SELinux is on")
    runtime.config["linux"]["mountLabel"] = "system_u:object_r:container_file_t:s0"
    with created(runtime) as pid:
        assert not any("context" in option for option in top(pid, "/dev").super_options)


def test_an_option_that_no_bind_mount_has_is_named_and_let_pass(
    runtime: Runtime, source: Path
) -> None:
    add(runtime, "bind", "bind", "ro", "x-systemd.automount", "size=1m", source=str(source))
    runtime.config["process"]["args"] = ["cat", "/data/file"]
    done = runtime.call("run", "c1")
    assert (done.returncode, done.stdout) == (0, "kept")
    assert "/data: a bind mount has no option x-systemd.automount, size: ignored" in done.stderr
