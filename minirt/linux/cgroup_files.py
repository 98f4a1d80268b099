"""Files of one cgroup directory: read them, write them.

Nothing here creates a file: outside a cgroup file system a write fails instead of leaving litter.
"""

from __future__ import annotations

import errno
import os

from minirt.errors import HostError, KernelError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MAX_FILE = 1 << 20
SWAP_FILES = ("memory.memsw.limit_in_bytes", "memory.swap.max")
# With the scheduler BFQ the weights have other names.
ALTERNATIVES = {
    "blkio.weight": "blkio.bfq.weight",
    "blkio.weight_device": "blkio.bfq.weight_device",
}
NO_DISK = "there is no such disk; a partition cannot be limited, only its whole disk"
HINTS = {
    ("cgroup.subtree_control", errno.EBUSY): "it holds processes itself, and then cannot have"
    " children with controllers (no internal processes, cgroups(7)): move them into a leaf",
    ("cgroup.subtree_control", errno.EACCES): "ask for it to be delegated:"
    " systemd-run --user --scope -p Delegate=yes COMMAND",
    ("io.max", errno.ENODEV): NO_DISK,
    ("blkio.throttle.read_bps_device", errno.ENODEV): NO_DISK,
    ("blkio.throttle.write_bps_device", errno.ENODEV): NO_DISK,
}


def write(directory: str, file: str, value: str, asked: str = "") -> None:
    """Set one file of the cgroup; HostError when this kernel has no such file.

    `asked` is where the value comes from, for the complaint.
    """
    path = f"{directory}/{file}"
    place = f" ({asked})" if asked else ""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(fd, value.encode())
        finally:
            os.close(fd)
    except FileNotFoundError:
        raise HostError(
            f"this kernel cannot set {file}{place}: there is no {path}",
            hint="leave that limit out",
        ) from None
    except OSError as error:
        raise KernelError(
            f"cannot set {file} of a cgroup to {value}{place}",
            call=f'write("{path}", "{value}")',
            errno=error.errno or 0,
            hint=HINTS.get((file, error.errno or 0), ""),
        ) from None


def read(directory: str, file: str) -> str:
    """One file of the cgroup; "" when this kernel has no such file."""
    try:
        fd = os.open(f"{directory}/{file}", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    try:
        return os.read(fd, MAX_FILE).decode()
    finally:
        os.close(fd)


def settle(
    directory: str, settings: Iterable[tuple[str, str]], asked: Callable[[str], str]
) -> list[str]:
    """Write all files; what the kernel refuses because of another one, again after that one.

    A limit on memory may not exceed that on memory and swap together, nor a quota of a short
    period the parent's. `asked` tells where the value of a file comes from. Returns the files
    without which a kernel that cannot limit swap has to do.
    """
    refused, missing = [], []
    for wanted, value in settings:
        file = _name(directory, wanted)
        if file in SWAP_FILES and not os.path.exists(f"{directory}/{file}"):
            missing.append(file)
            continue
        try:
            write(directory, file, value, asked(wanted))
        except KernelError as error:
            if error.errno != errno.EINVAL:
                raise
            refused.append((file, value, asked(wanted)))
    for file, value, place in refused:
        write(directory, file, value, place)
    return missing


def _name(directory: str, file: str) -> str:
    """What this kernel calls `file`."""
    other = ALTERNATIVES.get(file, "")
    return file if not other or os.path.exists(f"{directory}/{file}") else other
