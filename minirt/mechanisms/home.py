"""Home: HOME as the container's /etc/passwd has it, where nothing else sets it (passwd(5))."""

from __future__ import annotations

import os
import stat

from minirt.errors import KernelError
from minirt.linux.files import openat2
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context

LONGEST = 1 << 20


class Home(Mechanism):
    """Set HOME to the directory of user `uid`, or to /."""

    name = "home"

    def __init__(self, uid: int) -> None:
        self.uid = uid

    def seal(self, ctx: Context) -> None:
        ctx.environment["HOME"] = directory_of(self.uid, passwd(ctx.root)) or "/"

    def describe(self) -> str:
        return f"home: HOME of user {self.uid}"


def passwd(root: int) -> bytes:
    """The user database inside; b"" without one. It is the image's: it can be anything."""
    try:
        fd = openat2(root, "/etc/passwd", os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except KernelError:
        return b""
    try:
        return os.read(fd, LONGEST) if stat.S_ISREG(os.fstat(fd).st_mode) else b""
    except OSError:
        return b""
    finally:
        os.close(fd)


def directory_of(uid: int, database: bytes) -> str:
    for line in database.split(b"\n"):
        fields = line.split(b":")
        if len(fields) >= 6 and fields[2] == str(uid).encode():
            return os.fsdecode(fields[5])
    return ""
