"""A mount namespace of their own for all that is measured, in which every runtime can work.

crun 1.8 refuses a machine that has cgroup version 2 mounted beside version 1. There the mount of
version 2 is taken out of the copy of the mount table that this process, and so each of its
children, has from now on. The host keeps its own.
"""

from __future__ import annotations

import os

from minirt.linux import mount, mountinfo, namespaces

PLAIN = "one for all, made before anything was measured"


def enter() -> str:
    """Move this process there, for good; what to say of it. For an ordinary user, "" and none."""
    if os.geteuid() != 0:
        return ""
    namespaces.unshare(namespaces.CLONE_NEWNS)
    mount.make_private()
    beside = beside_version_1(mountinfo.mounts())
    for path in beside:
        mount.umount2(path, mount.MNT_DETACH)
    if not beside:
        return PLAIN
    return f"{PLAIN}; there, not on the host, {', '.join(beside)} is unmounted, which crun refuses"


def beside_version_1(table: list[mountinfo.Mount]) -> list[str]:
    """Where version 2 is mounted on a machine that has version 1 as well."""
    kinds = {each.fstype for each in table}
    if "cgroup" not in kinds:
        return []
    return [each.mountpoint for each in table if each.fstype == "cgroup2"]
