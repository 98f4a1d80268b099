"""Failures of mounts, file systems and paths."""

from __future__ import annotations

import os

from confined import confined
from provoke import (
    WIDE,
    in_namespaces,
    ordinary_user,
    own_mounts,
    provokes,
)

from minirt.context import Context
from minirt.engine.phases import perform
from minirt.linux import mount
from minirt.linux.files import openat2
from minirt.linux.namespaces import (
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    open_namespace,
    unshare,
)
from minirt.linux.process import PR_SET_NO_NEW_PRIVS, prctl
from minirt.linux.seccomp import fprog, load
from minirt.mechanisms.devices import Devices
from minirt.mechanisms.overlay import Overlay
from minirt.mechanisms.pivot import Pivot
from minirt.mechanisms.user import User
from minirt.seccomp.compiler import compile_profile


@provokes("mount", "EPERM")
def mount_as_an_ordinary_user() -> None:
    ordinary_user()
    mount.make_private()


@provokes("mount", "EINVAL", "MS_PRIVATE")
def make_mounts_private_in_a_chroot() -> None:
    unshare(CLONE_NEWNS)
    os.chroot("/usr")
    mount.make_private()


@provokes("fsopen", "EPERM")
def make_a_file_system_as_an_ordinary_user() -> None:
    ordinary_user()
    mount.make("tmpfs")


@provokes("fsopen", "ENODEV")
def make_an_unknown_file_system() -> None:
    mount.make("nosuchfs")


@provokes("open_tree", "EPERM")
def copy_a_mount_as_an_ordinary_user() -> None:
    ordinary_user()
    mount.open_tree("/usr")


@provokes("open_tree", "ENOENT", "/dev/")
def bind_devices_that_the_host_lacks() -> None:
    own_mounts()
    root = os.open("/mnt", os.O_PATH)
    mount.mount("tmpfs", "/dev", "tmpfs")
    ctx = Context("test", "", "")
    ctx.root = root
    perform(Devices(), "enter", ctx)


@provokes("fsmount", "EPERM", "proc")
def mount_proc_where_an_outer_one_is_masked() -> None:
    own_mounts()
    mount.mount("tmpfs", "/proc/sys", "tmpfs")
    in_namespaces(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID, lambda: mount.make("proc"))


@provokes("fsconfig", "EPERM", "proc")
def mount_proc_without_an_own_pid_namespace() -> None:
    in_namespaces(CLONE_NEWUSER | CLONE_NEWNS, lambda: mount.make("proc"))


def _overlay_in(directory: str) -> None:
    """As the engine: make the directories on the host, mount in the child."""
    ctx = Context("test", directory, "")
    overlay = Overlay(("/usr",), (0, 0))
    perform(overlay, "prepare", ctx)
    perform(overlay, "enter", ctx)


@provokes("fsconfig", "EINVAL", "overlay")
def put_the_writable_layer_on_an_overlay() -> None:
    own_mounts()
    os.mkdir("/mnt/first")
    os.mkdir("/mnt/first/second")
    _overlay_in("/mnt/first")
    os.mkdir("/mnt/first/rootfs/second")
    _overlay_in("/mnt/first/rootfs/second")


@provokes("mount_setattr", "EINVAL", "MOUNT_ATTR_IDMAP")
def map_the_ids_of_proc() -> None:
    with confined(User(WIDE, WIDE)) as process:
        namespace = open_namespace(f"/proc/{process.pid}/ns/user")
        tree = mount.open_tree("/proc")
        mount.mount_setattr(tree, mount.MOUNT_ATTR_IDMAP, userns_fd=namespace)


def _pivot_to(path: str) -> None:
    ctx = Context("test", "", "")
    ctx.root = os.open(path, os.O_PATH)
    perform(Pivot(), "seal", ctx)


@provokes("pivot_root", "EBUSY")
def leave_for_a_plain_directory() -> None:
    own_mounts()
    _pivot_to("/usr")


@provokes("pivot_root", "EINVAL")
def leave_while_the_mounts_are_shared() -> None:
    own_mounts()
    mount.mount("", "/", flags=mount.MS_REC | mount.MS_SHARED)
    _pivot_to("/mnt")


@provokes("", "ENOSPC")
def make_the_writable_layer_on_a_full_disk() -> None:
    own_mounts()
    mount.mount("tmpfs", "/mnt", "tmpfs", data="nr_inodes=2")
    _overlay_in("/mnt")


@provokes("", "ENOSYS")
def resolve_a_path_under_a_filter_that_hides_the_call() -> None:
    hides = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["openat2"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}],
    }
    prctl(PR_SET_NO_NEW_PRIVS, 1, what="cannot set no_new_privs")
    load(fprog(compile_profile(hides)))
    openat2(os.open("/", os.O_PATH), "etc")
