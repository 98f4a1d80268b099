"""Where downloads and unpacked images are kept between runs.

An ordinary user's cache is $XDG_CACHE_HOME/minirt or ~/.cache/minirt. Root's is
/var/cache/minirt, with sudo too. A lower directory of a container that root runs is as good as
the code that root runs in it, so root uses only what root alone can write; and as root writes
nothing below a home directory, no symbolic link there can lead it astray, and nothing in the
caller's cache ever has to be given back. The price is a second download where one person runs
minirt both ways. What root does write for the caller (a trace) goes back by `give_back`.
"""

from __future__ import annotations

import fcntl
import os
import stat

from minirt.errors import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.linux.mountinfo import Mount

SYSTEM = "/var/cache/minirt"
# How WSL's kernels name a Windows drive: no owners, no device nodes, no rename over an open file.
WINDOWS_DRIVES = ("9p", "drvfs", "virtiofs", "v9fs")


def directory() -> str:
    """The cache of the user who runs this process; made when missing.

    HostError when it cannot be made, belongs to someone else or others may write to it.
    """
    path = os.path.realpath(_wanted())
    if _on_wsl() and on_windows_drive(path, _mounts()):
        path = f"/var/tmp/minirt-{os.geteuid()}"  # noqa: S108  (checked by _require_own)
    try:
        make_directories(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    _require_own(path)
    return path


def _wanted() -> str:
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    absolute = os.path.isabs(chosen)
    if os.geteuid() == 0:
        return f"{chosen}/minirt" if absolute and _roots_own(chosen) else SYSTEM
    return f"{chosen}/minirt" if absolute else os.path.expanduser("~/.cache/minirt")


def _roots_own(path: str) -> bool:
    """Whether root owns `path` and every directory above it that decides what it is.

    sudo may pass on the caller's XDG_CACHE_HOME: that directory is not root's.
    """
    while not os.path.exists(path):
        path = os.path.dirname(path)
    path = os.path.realpath(path)
    while True:
        status = os.stat(path)
        others_write = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if status.st_uid or (others_write and not status.st_mode & stat.S_ISVTX):
            return False
        if path == "/":
            return True
        path = os.path.dirname(path)


def _require_own(path: str) -> None:
    status = os.lstat(path)
    wrong = status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if wrong or not stat.S_ISDIR(status.st_mode):
        raise HostError(
            f"the cache {path} could be changed by another user",
            hint=f"chmod go-w {path}, or remove it if it is not yours",
        )


def _unwritable(path: str, error: OSError) -> HostError:
    hint = "make room there, or set XDG_CACHE_HOME to a directory elsewhere"
    return HostError(f"cannot write to the cache {path}: {error.strerror}", hint=hint)


def _on_wsl() -> bool:
    return "microsoft" in os.uname().release.lower()


def _mounts() -> list[Mount]:
    from minirt.linux.mountinfo import mounts

    return mounts()


def on_windows_drive(path: str, table: list[Mount]) -> bool:
    """Whether `path` lies on a drive of Windows, as seen from WSL's mount `table`."""
    from minirt.linux.mountinfo import filesystem_of

    mount = filesystem_of(path, table)
    return mount is not None and mount.fstype in WINDOWS_DRIVES


class Writing:
    """The right to write one part of the cache, held by one process at a time.

    Entering waits for it (flock(2)) and returns an empty scratch directory: what is made there
    becomes visible by rename, whole or not at all; what a killed process left there is gone.
    """

    __slots__ = ("lock", "scratch")

    def __init__(self, part: str) -> None:
        root = directory()
        self.scratch = f"{root}/{part}.scratch"
        self.lock = os.open(f"{root}/{part}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> str:
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        remove_tree(self.scratch)
        os.mkdir(self.scratch, 0o700)
        return self.scratch

    def __exit__(self, _kind: object, error: BaseException | None, _tb: object) -> None:
        remove_tree(self.scratch)
        os.close(self.lock)
        if isinstance(error, OSError):
            raise _unwritable(os.path.dirname(self.scratch), error) from error


def make_directories(path: str) -> str:
    """Like mkdir -p below the cache, for all to read whatever the umask; returns `path`.

    A container with ids of its own (--userns) walks this path as none of the host's users.
    """
    if not os.path.isdir(path):
        make_directories(os.path.dirname(path))
        try:
            os.mkdir(path)
            os.chmod(path, 0o755)  # noqa: S103  (see above)
        except FileExistsError:
            pass  # another process made it in this moment
    return path


def remove_tree(path: str) -> None:
    """Remove a directory of the cache and everything in it, if it is there."""
    from shutil import rmtree  # 15 ms to import, and only a writer needs it

    if os.path.lexists(path):
        rmtree(path)


def remove_all(path: str) -> None:
    """Remove the whole cache at `path`, when nobody writes to a part of it any more.

    HostError names the first thing that could not be removed; the rest is gone all the same.
    """
    from contextlib import ExitStack
    from shutil import rmtree

    if not os.path.isdir(path):
        return
    left: list[str] = []
    with ExitStack() as held:
        for name in sorted(os.listdir(path)):
            if name.endswith(".lock"):
                file = held.enter_context(open(f"{path}/{name}", "rb"))
                fcntl.flock(file, fcntl.LOCK_EX)
        rmtree(path, onerror=lambda _call, where, error: left.append(f"{where}: {error[1]}"))
    if left:
        hint = "end what uses it (a container, a mount), then do this once more"
        raise HostError(f"the cache could not be removed: {left[0]}", hint=hint)


def give_back(descriptor: int) -> None:
    """After sudo: hand an open file that was made for the caller to the caller."""
    uid = os.environ.get("SUDO_UID", "")
    gid = os.environ.get("SUDO_GID", "")
    if os.geteuid() == 0 and uid.isdecimal() and gid.isdecimal():
        os.fchown(descriptor, int(uid), int(gid))
