"""The options of a mount entry, as mount(8) and the OCI specification name them."""

from __future__ import annotations

from minirt.filetree.mount import Mount
from minirt.linux.mount import (
    ATTRIBUTES,
    MOUNT_ATTR__ATIME,
    MOUNT_ATTR_NODEV,
    MOUNT_ATTR_NODIRATIME,
    MOUNT_ATTR_NOEXEC,
    MOUNT_ATTR_NOSUID,
    MOUNT_ATTR_NOSYMFOLLOW,
    MOUNT_ATTR_RDONLY,
    MS_PRIVATE,
    MS_SHARED,
    MS_SLAVE,
    MS_UNBINDABLE,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from minirt.spec import MountSpec

# Option: (attributes to set, to clear). When a file was last read is one field of four values.
CHANGES: Mapping[str, tuple[int, int]] = {
    **{name: (bit, MOUNT_ATTR__ATIME if bit & MOUNT_ATTR__ATIME else 0)
       for name, bit in ATTRIBUTES.items()},
    **dict.fromkeys(("relatime", "atime", "nostrictatime"), (0, MOUNT_ATTR__ATIME)),
    "rw": (0, MOUNT_ATTR_RDONLY), "suid": (0, MOUNT_ATTR_NOSUID), "dev": (0, MOUNT_ATTR_NODEV),
    "exec": (0, MOUNT_ATTR_NOEXEC), "diratime": (0, MOUNT_ATTR_NODIRATIME),
    "symfollow": (0, MOUNT_ATTR_NOSYMFOLLOW), "norelatime": (0, 0),
}  # fmt: skip
PROPAGATION = {
    "private": MS_PRIVATE, "slave": MS_SLAVE, "shared": MS_SHARED, "unbindable": MS_UNBINDABLE,
}  # fmt: skip
# Of the whole file system: a new one takes them, a bind mount has its source's.
WHOLE = frozenset(("sync", "async", "dirsync", "mand", "nomand", "lazytime", "nolazytime"))
# They label their own files, or (bind, cgroup) are not the container's to label.
UNLABELLED = frozenset(("proc", "sysfs", "mqueue", "cgroup", "bind"))
# For mount(8) alone, or what is done anyway.
NOTHING = frozenset(
    ("bind", "defaults", "remount", "silent", "loud", "iversion", "noiversion", "acl", "noacl")
)
# All that an entry may ask for, besides what single file systems know.
OPTIONS = (
    *(f"{deep}{name}" for name in (*PROPAGATION, *CHANGES) for deep in ("", "r")),
    *NOTHING, *WHOLE, "rbind", "tmpcopyup", "idmap", "ridmap",
)  # fmt: skip


def mount_of(entry: MountSpec, *, cgroup_ns: bool = False, label: str = "") -> Mount:
    """The mount that an entry of `mounts` describes; ConfigError names an unknown option.

    `cgroup_ns` is whether the container has a cgroup namespace of its own, `label` the SELinux
    context of the file systems that it makes.
    """
    mount = Mount(entry.destination, entry.fstype, entry.source, entry.pointer)
    mount.uid_maps, mount.gid_maps = entry.uid_maps, entry.gid_maps
    if entry.uid_maps or entry.gid_maps:
        mount.id_mapping = "idmap"
    own = [option for option in entry.options if not _taken(mount, option)]
    if entry.fstype == "bind":
        own, mount.ignored = [], own
    if entry.fstype == "cgroup":
        from minirt.filetree.cgroups import CgroupTree

        readonly = bool((mount.attributes.set | mount.deep.set) & MOUNT_ATTR_RDONLY)
        tree = CgroupTree(readonly=readonly, namespaced=cgroup_ns)
        mount.maker, mount.after = tree.make, tree.fill
    if entry.fstype == "tmpfs" and is_dev(entry):
        mount.attributes.add(0, MOUNT_ATTR_RDONLY)  # by ReadonlyMounts, when it has its nodes
    mount.data = tuple((key, value) for key, _, value in (o.partition("=") for o in own))
    if entry.fstype == "tmpfs" and not mount.before and "mode" not in dict(mount.data):
        from minirt.filetree.copy_up import keep_mode

        mount.before = keep_mode
    if label and mount.fstype not in UNLABELLED:
        mount.data += (("context", label),)
    return mount


def is_dev(entry: MountSpec) -> bool:
    return entry.destination.rstrip("/") == "/dev"


def propagation_of(option: str) -> tuple[int, bool] | None:
    """(MS_*, recursive) of "shared", "rslave" and their like; None for another word."""
    flag = PROPAGATION.get(option) or PROPAGATION.get(option.removeprefix("r"))
    return (flag, option not in PROPAGATION) if flag else None


def connected(mount: Mount) -> bool:
    """Whether it is a bind mount that goes on hearing of the host's mounts, or telling it."""
    return any(flag & (MS_SLAVE | MS_SHARED) for flag, _ in mount.propagation)


def _taken(mount: Mount, option: str) -> bool:
    """Note what an option asks of the mount; False for one that is the file system's."""
    propagation = propagation_of(option)
    if propagation:
        mount.propagation += (propagation,)
    elif option in CHANGES:
        mount.attributes.add(*CHANGES[option])
    elif option.removeprefix("r") in CHANGES:
        mount.deep.add(*CHANGES[option.removeprefix("r")])
    elif option == "rbind":
        mount.recursive = True
    elif option == "tmpcopyup":
        from minirt.filetree.copy_up import copy_up

        mount.before = copy_up
    elif option in ("idmap", "ridmap"):
        mount.id_mapping = option
    else:
        return option in NOTHING or (option in WHOLE and mount.fstype == "bind")
    return True
