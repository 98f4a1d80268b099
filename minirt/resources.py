"""Options of a person, such as --cpus 0.5 --memory 64m, as OCI's linux.resources."""

from __future__ import annotations

import os
import stat

from minirt.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.codec import Json

PERIOD_US = 100_000
# The kernel's least quota is 1 ms in a period.
LEAST_CPUS = 0.01
MOST_CPUS = 100_000
UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
# The waiting init, a Python process, is charged to the container before its program runs: with
# 4 KiB pages 1 MiB was enough under version 1, and 1.5 MiB under version 2. This is with room.
LEAST_MEMORY = 4 << 20
MOST_BYTES = 1 << 62
MOST_PIDS = 1 << 22


def from_options(
    cpus: str = "", memory: str = "", pids: str = "", io_bps: str = "", *, disk_of: str = "/"
) -> dict[str, Json]:
    """linux.resources for the options that are not ""; ConfigError names the option.

    cpus    CPUs' worth of time, "0.5" is half of one
    memory  bytes, "64m" is 64 MiB; swap is not to be had beyond it
    pids    processes and threads at a time
    io_bps  bytes a second that may be read, and that may be written, "8m" or "/dev/vda:8m";
            without a device, on the disk that holds the path `disk_of`
    """
    resources: dict[str, Json] = {}
    if cpus:
        resources["cpu"] = {"quota": _quota(cpus), "period": PERIOD_US}
    if memory:
        limit = _memory(memory)
        resources["memory"] = {"limit": limit, "swap": limit}
    if pids:
        resources["pids"] = {"limit": _pids(pids)}
    if io_bps:
        throttle = _throttle(io_bps, disk_of)
        resources["blockIO"] = {
            "throttleReadBpsDevice": [throttle],
            "throttleWriteBpsDevice": [throttle],
        }
    return resources


def _quota(text: str) -> int:
    whole, _, fraction = text.partition(".")
    if not (whole + fraction).isdecimal() or not (whole + fraction).isascii():
        raise _wrong(text, "is not a number of CPUs", "--cpus", "write it as 0.5 or 2")
    cpus = float(text)
    if not LEAST_CPUS <= cpus <= MOST_CPUS:
        problem = f"is not between {LEAST_CPUS} and {MOST_CPUS} CPUs"
        raise _wrong(text, problem, "--cpus", "write it as 0.5 or 2")
    return round(cpus * PERIOD_US)


def _memory(text: str) -> int:
    limit = _bytes(text, "--memory", "64m")
    if limit < LEAST_MEMORY:
        problem = f"is less than the {LEAST_MEMORY >> 20}m a container needs to start"
        raise _wrong(text, problem, "--memory", f"give it {LEAST_MEMORY >> 20}m or more")
    return limit


def _pids(text: str) -> int:
    if not _is_number(text):
        raise _wrong(text, "is not a whole number of 1 or more", "--pids", "write it as 100")
    if not 1 <= int(text) <= MOST_PIDS:
        raise _wrong(text, f"is not between 1 and {MOST_PIDS}", "--pids", "write it as 100")
    return int(text)


def _throttle(text: str, disk_of: str) -> dict[str, Json]:
    device, _, rate = text.rpartition(":")
    bytes_per_second = _bytes(rate, "--io-bps", "8m or /dev/sda:8m")
    if not bytes_per_second:
        raise _wrong(text, "would stop all reading and writing", "--io-bps", "give it 1 or more")
    number = _device(device) if device else _stat(disk_of).st_dev
    major, minor = whole_disk(number, device or disk_of)
    return {"major": major, "minor": minor, "rate": bytes_per_second}


def _device(path: str) -> int:
    status = _stat(path)
    if not stat.S_ISBLK(status.st_mode):
        raise _no_disk(f"{path} is not a disk")
    return status.st_rdev


def _stat(path: str) -> os.stat_result:
    try:
        return os.stat(path)
    except OSError as error:
        raise _no_disk(f"{path}: {error.strerror}") from None


def whole_disk(device: int, named: str) -> tuple[int, int]:
    """The disk (major, minor) that this is, or is a partition of: the kernel limits no less.

    ConfigError where there is none: tmpfs, overlay and btrfs have made-up device numbers.
    """
    major, minor = os.major(device), os.minor(device)
    sysfs = f"/sys/dev/block/{major}:{minor}"
    if not os.path.exists(sysfs):
        raise _no_disk(f"the file system of {named} is not on exactly one disk")
    if not os.path.exists(f"{sysfs}/partition"):
        return major, minor
    with open(f"{os.path.realpath(sysfs)}/../dev", encoding="utf-8") as disk:
        whole_major, _, whole_minor = disk.read().strip().partition(":")
    return int(whole_major), int(whole_minor)


def _no_disk(problem: str) -> ConfigError:
    hint = "name the disk, as in /dev/sda:8m (see lsblk)"
    return ConfigError(problem, pointer="--io-bps", hint=hint)


def _bytes(text: str, option: str, example: str) -> int:
    """64, 64k, 64m, 64mb, 64MiB: units are powers of 1024, as in docker."""
    lower = text.lower()
    number = lower.rstrip("bikmgt")
    unit = lower[len(number) :]
    unit = unit if unit == "b" else unit.removesuffix("b").removesuffix("i")
    if not _is_number(number) or unit not in UNITS:
        raise _wrong(text, "is not a number of bytes", option, f"write it as {example}")
    if int(number) * UNITS[unit] > MOST_BYTES:
        raise _wrong(text, "is more than there can be", option, f"write it as {example}")
    return int(number) * UNITS[unit]


def _is_number(text: str) -> bool:
    return text.isdecimal() and text.isascii() and len(text) < 20


def _wrong(text: str, problem: str, option: str, hint: str) -> ConfigError:
    return ConfigError(f'"{text}" {problem}', pointer=option, hint=hint)
