"""Options of a person, such as --cpus 0.5 --memory 64m, as OCI's linux.resources."""

from __future__ import annotations

import os

from minirt.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.codec import Json

PERIOD_US = 100_000
# The kernel's least quota is 1 ms in a period.
LEAST_CPUS = 0.01
MOST_CPUS = 100_000
UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
# The waiting init, a Python process, is charged to the container before its program runs.
LEAST_MEMORY = 6 << 20
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
        raise _wrong(text, "is not a whole number", "--pids", "write it as 100")
    if not 1 <= int(text) <= MOST_PIDS:
        raise _wrong(text, f"is not between 1 and {MOST_PIDS}", "--pids", "write it as 100")
    return int(text)


def _throttle(text: str, disk_of: str) -> dict[str, Json]:
    device, _, rate = text.rpartition(":")
    bytes_per_second = _bytes(rate, "--io-bps", "8m or /dev/sda:8m")
    if not bytes_per_second:
        raise _wrong(text, "would stop all reading and writing", "--io-bps", "give it 1 or more")
    try:
        found = os.stat(device).st_rdev if device else os.stat(disk_of).st_dev
    except OSError as error:
        problem = f"names a device that cannot be used: {error.strerror}"
        raise _wrong(text, problem, "--io-bps", "see lsblk for the disks") from None
    major, minor = whole_disk(os.major(found), os.minor(found), text)
    return {"major": major, "minor": minor, "rate": bytes_per_second}


def whole_disk(major: int, minor: int, text: str) -> tuple[int, int]:
    """The disk that this device is, or is a partition of: only whole disks can be limited."""
    sysfs = f"/sys/dev/block/{major}:{minor}"
    if not os.path.exists(sysfs):
        hint = "name the disk, as in /dev/sda:8m (see lsblk)"
        raise _wrong(text, "is not for a block device", "--io-bps", hint)
    if not os.path.exists(f"{sysfs}/partition"):
        return major, minor
    with open(f"{os.path.realpath(sysfs)}/../dev", encoding="ascii") as disk:
        whole_major, _, whole_minor = disk.read().strip().partition(":")
    return int(whole_major), int(whole_minor)


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
