"""Stdio: what the program reads and writes belongs to its user, so that it can be opened again.

/dev/stdout leads to /proc/self/fd/1, and opening that asks for rights that a pipe of root's
does not give (proc_pid_fd(5)).
"""

from __future__ import annotations

import errno
import os

from minirt.linux.calls import failed
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context

NULL_DEVICE = os.makedev(1, 3)
# A user that is not mapped, a file that is not ours, one of a read-only file system: all stay
# as they are.
HARMLESS = (errno.EINVAL, errno.EPERM, errno.EROFS)


class Stdio(Mechanism):
    """Give descriptors 0 to 2 to user `uid`, but never the host's /dev/null."""

    name = "stdio"

    def __init__(self, uid: int) -> None:
        self.uid = uid

    def seal(self, ctx: Context) -> None:
        for number in (0, 1, 2):
            try:
                status = os.fstat(number)
                if status.st_uid != self.uid and status.st_rdev != NULL_DEVICE:
                    os.fchown(number, self.uid, -1)
            except OSError as error:
                if error.errno not in (*HARMLESS, errno.EBADF):
                    call = f"fchown({number}, {self.uid}, -1)"
                    raise failed("cannot give away standard streams", call, error) from None

    def describe(self) -> str:
        return f"stdio: descriptors 0 to 2 are user {self.uid}'s"
