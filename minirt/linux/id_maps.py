"""A user namespace for its maps of ids alone: no process stays in it."""

from __future__ import annotations

import os

from minirt.linux.calls import failed
from minirt.linux.clone import clone3
from minirt.linux.ending import wait
from minirt.linux.namespaces import CLONE_NEWUSER, open_namespace
from minirt.linux.process import SIGKILL, pidfd_send_signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    IdMaps = tuple[tuple[int, int, int], ...]


def lines(maps: IdMaps) -> str:
    """The maps as the kernel reads them: all entries in one write."""
    return "\n".join(f"{inside} {outside} {size}" for inside, outside, size in maps)


def needs_helpers(uid_maps: IdMaps, gid_maps: IdMaps) -> bool:
    """Whether an ordinary user wants more than their own ids (user_namespaces(7))."""
    wanted = [entry[1:] for entry in (*uid_maps, *gid_maps)]
    return os.geteuid() != 0 and wanted != [(os.geteuid(), 1), (os.getegid(), 1)]


def become_root() -> None:
    """Take the ids 0 of this user namespace, and no other group where that is allowed."""
    try:
        os.setgroups(())
    except PermissionError:  # denied above: the caller's groups stay, as nobody's
        pass
    try:
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
    except OSError as error:
        what = "cannot become root in the user namespace"
        raise failed(what, "setresuid(0, 0, 0)", error) from None


def user_namespace(uid_maps: IdMaps, gid_maps: IdMaps) -> int:
    """A descriptor of a new user namespace with these maps."""
    read, write = os.pipe()
    pid, pidfd = clone3(CLONE_NEWUSER)
    if pid == 0:
        os.close(write)
        os.read(read, 1)  # until it is killed, or its maker has died
        os._exit(0)
    try:
        write_map(f"/proc/{pid}/uid_map", lines(uid_maps))
        write_map(f"/proc/{pid}/gid_map", lines(gid_maps))
        return open_namespace(f"/proc/{pid}/ns/user")
    finally:
        pidfd_send_signal(pidfd, SIGKILL)
        wait(pidfd)
        for fd in (pidfd, read, write):
            os.close(fd)


def write_map(path: str, text: str) -> None:
    """Write uid_map, gid_map or setgroups: the kernel takes a map whole, in one write(2)."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)
    except OSError as error:
        shown = f'write("{path}", "{text}")'
        raise failed("cannot map the user namespace's ids", shown, error) from None
