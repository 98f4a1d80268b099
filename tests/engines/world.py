"""A world of its own for engines: they write all over a machine, and keep what they wrote.

Private mount and network namespaces, in which /etc and /var/lib are overlays above the machine's,
/run, /dev/shm and the storage are empty file systems in memory. It all goes with the last process.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

from minirt.linux import mount, mountinfo, namespaces

SHADOWED = ("/etc", "/var/lib")  # seen as they are; what is written stays here
EMPTY = ("/run", "/dev/shm")
CGROUPS = Path("/sys/fs/cgroup")
# The parents that engines put their containers' cgroups below, and leave behind.
PARENTS = ("libpod_parent", "docker", "default", "k8s.io", "minirt-engines", "buildah")


def enter(scratch: Path) -> None:
    """Move this process there; `scratch` becomes a file system in memory, with the storage."""
    namespaces.unshare(namespaces.CLONE_NEWNS | namespaces.CLONE_NEWNET)
    mount.make_private()
    for empty in (*EMPTY, str(scratch)):
        mount.mount("tmpfs", empty, "tmpfs", data="mode=0755")
    for number, path in enumerate(SHADOWED):
        upper, work = scratch / f"upper{number}", scratch / f"work{number}"
        upper.mkdir()
        work.mkdir()
        data = f"lowerdir={path},upperdir={upper},workdir={work}"
        mount.mount("overlay", path, "overlay", data=data)
    # As podman makes it at its first network, to find it wherever it looks from.
    os.mkdir("/run/netns")
    mount.mount("tmpfs", "/run/netns", "tmpfs", data="mode=0755")
    mount.mount("", "/run/netns", flags=mount.MS_SHARED)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def remove_parents() -> None:
    """Remove the empty cgroups that engines keep, and plain directories that they took for such."""
    for hierarchy in _plain():
        for name in PARENTS:
            shutil.rmtree(hierarchy / name, ignore_errors=True)
        with contextlib.suppress(OSError):
            hierarchy.rmdir()  # else podman takes it for a controller's the next time
    for hierarchy in CGROUPS.iterdir():
        for name in PARENTS:
            for directory, _, _ in os.walk(hierarchy / name, topdown=False):
                try:
                    os.rmdir(directory)
                except OSError:  # somebody else's container is in it
                    continue


def _plain() -> list[Path]:
    """Directories beside the hierarchies of version 1 that are none: podman makes them."""
    kinds = {m.mountpoint: m.fstype for m in mountinfo.mounts()}
    if kinds.get(str(CGROUPS)) != "tmpfs":
        return []
    found = [path for path in CGROUPS.iterdir() if path.is_dir() and not path.is_symlink()]
    return [path for path in found if str(path) not in kinds]
