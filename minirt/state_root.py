"""The directory in which each container of a user has one: where it is, and whose it must be."""

from __future__ import annotations

import errno
import os
import stat

from minirt.errors import HostError

OTHER = "set MINIRT_STATE (for minirt-oci: XDG_RUNTIME_DIR, or --root) to one of your own"


def default() -> str:
    """`containers` below MINIRT_STATE, else /var/lib/minirt for root, else the user's own data.

    On disk, not in /run: the containers' writable layers are kept there too.
    """
    if os.environ.get("MINIRT_STATE"):
        return f"{os.path.abspath(os.environ['MINIRT_STATE'])}/containers"
    if os.geteuid() == 0:
        return "/var/lib/minirt/containers"
    home = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    return f"{home}/minirt/containers"


def of_engines() -> str:
    """That of `minirt-oci`: in /run, as nothing there outlives a boot; engines keep the layers.

    The same whatever the environment, which engines leave empty in some calls.
    """
    if os.geteuid() == 0:
        return "/run/minirt-oci"
    if os.environ.get("XDG_RUNTIME_DIR"):
        return f"{os.environ['XDG_RUNTIME_DIR']}/minirt-oci"
    parent = f"/tmp/{os.geteuid()}"  # noqa: S108  (checked: anybody may have made it first)
    if os.path.islink(parent):
        raise HostError(f"{parent} is a symbolic link, which may be another user's", hint=OTHER)
    require_own(f"{parent}/minirt-oci")
    return f"{parent}/minirt-oci"


def make(root: str) -> None:
    """Make it where it is missing; HostError when it is not this user's alone."""
    _make_reachable(root)
    require_own(root)


def _make_reachable(path: str) -> None:
    """Like mkdir -p; every user may pass, whatever the umask, for so does --userns's root."""
    if not os.path.isdir(path):
        _make_reachable(os.path.dirname(path))
        try:
            os.mkdir(path)
            os.chmod(path, 0o711)  # noqa: S103  (the purpose)
        except FileExistsError:
            pass  # another process made it in this moment


def require_own(root: str) -> None:
    """HostError when another user could have written what is recorded below `root`."""
    for path in (os.path.dirname(root), root):
        try:
            status = os.stat(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise unwritable(root, error) from None
        if _others_may_write(status, own=path == root):
            raise HostError(
                f"the state directory {path} could have been written by another user",
                hint=f"chmod go-w {path} if it is yours; else {OTHER}",
            )


def _others_may_write(status: os.stat_result, *, own: bool) -> bool:
    """Whether others may change what a directory contains; one that is not our `own` may be root's.

    In a sticky one, such as /tmp, nobody can put anything in the place of ours.
    """
    owners = {os.geteuid()} if own else {os.geteuid(), 0}
    sticky = not own and status.st_mode & stat.S_ISVTX
    writable = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not sticky
    return status.st_uid not in owners or bool(writable)


def unwritable(directory: str, error: OSError) -> HostError:
    """The state directory cannot be made or written."""
    room = error.errno in (errno.ENOSPC, errno.EDQUOT)
    hint = "make room there, or set" if room else "set"
    return HostError(
        f"cannot write to {directory}: {error.strerror}",
        hint=f"{hint} MINIRT_STATE (for minirt-oci: --root) to a directory that you may write",
    )
