"""Make a mount in a process apart, with a mount namespace of its own, and take it from there.

What is attached on the way is seen by nobody else, and is gone with that process; the caller
never leaves its namespace.
"""

from __future__ import annotations

import os

from minirt.errors import InitDied, MinirtError
from minirt.linux.calls import failed
from minirt.linux.clone import clone3
from minirt.linux.ending import wait
from minirt.linux.mount import make_private
from minirt.linux.namespaces import FLAGS
from minirt.wire import Channel, pair

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn


def in_mount_namespace(work: Callable[[], int]) -> int:
    """Run `work` in such a process; the descriptor that it returns. Its error is raised here."""
    ours, theirs = pair()
    pid, pidfd = clone3(FLAGS["mnt"])
    if pid == 0:
        ours.close()
        _work(work, theirs)
    theirs.close()
    try:
        if ours.receive()["kind"] != "fd":
            raise InitDied("the process that makes the mount died")
        return ours.fds.pop()
    finally:
        ours.close()
        wait(pidfd)
        os.close(pidfd)


def _work(work: Callable[[], int], report: Channel) -> NoReturn:
    try:
        make_private()
        report.send("fd", fd=work())
    except MinirtError as error:
        report.send_error(error)
    except OSError as error:
        report.send_error(failed("cannot make a mount apart", f'open("{error.filename}")', error))
    finally:
        os._exit(0)
