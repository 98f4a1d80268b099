"""The directories that an overlay needs in a container's state directory."""

from __future__ import annotations

import os

UPPER, WORK, MERGED = "upper", "work", "rootfs"


def make_writable_layer(directory: str, owner: tuple[int, int]) -> None:
    """Make upperdir, workdir and the mount point; they belong to `owner`, root inside."""
    for name in (UPPER, WORK, MERGED):
        path = f"{directory}/{name}"
        os.mkdir(path)
        os.chmod(path, 0o755)  # noqa: S103  (upper's mode is that of "/" inside)
        if os.geteuid() == 0:
            os.chown(path, *owner)
    if os.geteuid() == 0 and owner[1]:
        # Root inside must reach them, through its group: to everybody else the directory of
        # the container stays closed.
        os.chown(directory, -1, owner[1])
        os.chmod(directory, 0o710)  # noqa: S103
