"""Make the container's first process: one clone3, after joining what is named by path.

Joining happens in a process of its own, so the launcher never leaves its namespaces: it joins,
clones with CLONE_PARENT, which makes init the launcher's child and not its own, and ends.
"""

from __future__ import annotations

import os
import sys

from minirt.errors import InitDied, MinirtError
from minirt.linux.clone import CLONE_PARENT, clone3
from minirt.linux.ending import wait
from minirt.linux.namespaces import FLAGS, open_namespace, setns
from minirt.linux.process import PR_SET_DUMPABLE, hide_arguments, pidfd_open, prctl
from minirt.wire import Channel, pair

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import NoReturn

# Not by clone: the cgroup namespace roots at the cgroup that its maker is in, so the mechanism
# unshares it after the child has joined; time offsets must be written before the first birth.
NOT_CLONED = ("cgroup", "time")


def launch(
    namespaces: Mapping[str, str], cgroup_fd: int, child: Callable[[], NoReturn]
) -> tuple[int, int]:
    """Start `child` in `namespaces` ({name: path to join, or "" for a new one}).

    Return its (host pid, pidfd). The caller must have one thread.
    """
    flags = 0
    for name, path in namespaces.items():
        flags |= FLAGS[name] if not path and name not in NOT_CLONED else 0
    joined = {
        name: open_namespace(namespaces[name], name) for name in FLAGS if namespaces.get(name)
    }
    try:
        if joined:
            return _launch_joined(joined, flags, cgroup_fd, child)
        pid, pidfd = clone3(flags, cgroup_fd=cgroup_fd)
        if pid == 0:
            hide_arguments()
            child()
        return pid, pidfd
    finally:
        for fd in joined.values():
            os.close(fd)


def _launch_joined(
    joined: Mapping[str, int], flags: int, cgroup_fd: int, child: Callable[[], NoReturn]
) -> tuple[int, int]:
    ours, theirs = pair()
    # Into the cgroup before any joining: from inside its cgroup namespace it is out of reach.
    helper, helper_fd = clone3(0, cgroup_fd=cgroup_fd)
    if helper == 0:
        ours.close()
        _join_and_clone(joined, flags, theirs, child)
    theirs.close()
    try:
        message = ours.receive()
    finally:
        wait(helper_fd)
        os.close(helper_fd)
        ours.close()
    if not isinstance(message.get("pid"), int):
        raise InitDied("the process that joins the namespaces died")
    pid = int(str(message["pid"]))
    return pid, pidfd_open(pid)


def _join_and_clone(
    joined: Mapping[str, int], flags: int, report: Channel, child: Callable[[], NoReturn]
) -> NoReturn:
    seal_imports()  # joining a mount namespace changes what every import would read
    hide_arguments()  # while /proc is the host's
    try:
        prctl(PR_SET_DUMPABLE, 0, what="cannot make init undumpable")  # others run inside
        for name, fd in joined.items():
            setns(fd, FLAGS[name])
        pid, _pidfd = clone3(flags | CLONE_PARENT)
        if pid == 0:
            report.close()
            child()
        report.send("cloned", {"pid": pid})
    except MinirtError as error:
        report.send_error(error)
    finally:
        os._exit(0)


def seal_imports() -> None:
    """From here on Python can import nothing: the next file it would find is the image's."""
    sys.path.clear()
    sys.meta_path.clear()
    sys.path_hooks.clear()
    sys.path_importer_cache.clear()
