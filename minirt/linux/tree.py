"""Delete a tree that a container made: any depth, any mode, any names (unlink(2), rmdir(2))."""

from __future__ import annotations

import os
import stat


def empty(top: int, *, keep: str = "") -> None:
    """Delete everything below the directory descriptor `top` but its entry `keep`.

    Links are not followed. A container may have made directories deeper than any recursion or
    descriptor limit, so what a directory contains is first moved up to `top`. A call that was
    killed can be repeated.
    """
    while names := [name for name in os.listdir(top) if name != keep]:
        for name in names:
            _take_apart(name, top)


def _take_apart(name: str, top: int) -> None:
    try:
        os.unlink(name, dir_fd=top)
    except IsADirectoryError:
        if _removed_as_empty(name, top):
            return
        # An ordinary user needs these rights; overlayfs leaves a directory of mode 0.
        os.chmod(name, 0o700, dir_fd=top)
        directory = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=top)
        for entry in os.listdir(directory):
            if stat.S_ISDIR(os.stat(entry, dir_fd=directory, follow_symlinks=False).st_mode):
                os.chmod(entry, 0o700, dir_fd=directory)
            # A new name each time: a removal that was killed has left some.
            aside = f".removed-{os.urandom(8).hex()}"
            os.rename(entry, aside, src_dir_fd=directory, dst_dir_fd=top)
        os.close(directory)
        os.rmdir(name, dir_fd=top)


def _removed_as_empty(name: str, top: int) -> bool:
    """Most directories are: one call then does, instead of a dozen."""
    try:
        os.rmdir(name, dir_fd=top)
    except OSError:
        return False
    return True
