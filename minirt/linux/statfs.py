"""Which file system a descriptor lies on (fstatfs(2)): a name in /proc proves nothing."""

from __future__ import annotations

from minirt.errors import HostError
from minirt.linux import ffi
from minirt.linux.calls import check

PROC_SUPER_MAGIC, DEVPTS_SUPER_MAGIC, SELINUX_MAGIC = 0x9FA0, 0x1CD1, 0xF97CFF8C
NAMES = {PROC_SUPER_MAGIC: "procfs", DEVPTS_SUPER_MAGIC: "devpts", SELINUX_MAGIC: "selinuxfs"}


class Statfs(ffi.Structure):
    """struct statfs: its first member, and room for the others on a 64-bit machine."""

    _fields_ = [("f_type", ffi.c_long), *((f"rest{n}", ffi.c_uint64) for n in range(15))]


def magic(fd: int) -> int:
    """The magic number of the file system that `fd`, O_PATH or not, lies on."""
    found = Statfs()
    check("fstatfs", fd, found, what="cannot tell the file system", shown="fd")
    return int(found.f_type)


def require(fd: int, wanted: int, path: str) -> None:
    """HostError when `fd`, opened as `path`, lies on another file system than `wanted`."""
    if magic(fd) != wanted:
        raise HostError(
            f"{path} is not of the kernel's {NAMES[wanted]}",
            hint="do not mount or link anything else there",
        )
