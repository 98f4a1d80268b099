"""The directories that an overlay needs in a container's state directory."""

from __future__ import annotations

import os

UPPER, WORK, MERGED = "upper", "work", "rootfs"


def make_writable_layer(directory: str, owner: tuple[int, int]) -> None:
    """Make upperdir, workdir and the mount point; they belong to `owner`, root inside."""
    for name in (UPPER, WORK, MERGED):
        path = f"{directory}/{name}"
        os.mkdir(path, 0o755)
        if os.geteuid() == 0:
            os.chown(path, *owner)
