"""OCI's linux.resources as files of a cgroup, in either version: pure translation.

A controller ("cpu", "memory", "pids", "io") has (file, value) pairs, in the order in which they
must be written.
"""

from __future__ import annotations

from minirt.errors import ConfigError
from minirt.reader import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from minirt.codec import Json

    Settings = list[tuple[str, str]]

POINTER = "/linux/resources"
# The member of linux.resources that each controller is for.
MEMBERS = {"cpu": "cpu", "memory": "memory", "pids": "pids", "io": "blockIO"}
MIB = 1 << 20
PERIOD_US = 100_000
THROTTLES = (
    ("throttleReadBpsDevice", "blkio.throttle.read_bps_device", "rbps"),
    ("throttleWriteBpsDevice", "blkio.throttle.write_bps_device", "wbps"),
    ("throttleReadIOPSDevice", "blkio.throttle.read_iops_device", "riops"),
    ("throttleWriteIOPSDevice", "blkio.throttle.write_iops_device", "wiops"),
)


def checked_path(path: str) -> str:
    """linux.cgroupsPath without detours; ConfigError if it names no cgroup of its own."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        problem = f'"{path}" names no cgroup of its own'
        hint = "write it as /minirt/NAME"
        raise ConfigError(problem, pointer="/linux/cgroupsPath", hint=hint)
    return ("/" if path.startswith("/") else "") + "/".join(parts)


def limited(resources: Mapping[str, Json]) -> list[str]:
    """The controllers that `resources` has limits for."""
    others = [file.partition(".")[0] for file in _unified(resources)]
    return list(dict.fromkeys([c for c in MEMBERS if settings(resources, c, 2)] + others))


def settings(resources: Mapping[str, Json], controller: str, version: int) -> Settings:
    """The files of `controller` to write in a cgroup of this version; [] for no limit."""
    own = [(f, v) for f, v in _unified(resources).items() if f.startswith(f"{controller}.")]
    if controller not in MEMBERS:
        return own
    reader = Reader(resources, POINTER).object(MEMBERS[controller])
    return _TRANSLATE[version][controller](reader) + own


def shown(resources: Mapping[str, Json]) -> list[str]:
    """The limits in words: ["0.5 CPUs", "64 MiB of memory", "100 processes"]."""
    reader = Reader(resources, POINTER)
    cpu, memory = reader.object("cpu"), reader.object("memory").number("limit")
    quota, pids = cpu.number("quota"), reader.object("pids").number("limit")
    words = []
    if quota > 0:
        words.append(f"{quota / cpu.number('period', PERIOD_US):g} CPUs")
    if memory > 0:
        words.append(f"{memory / MIB:g} MiB of memory")
    if pids > 0:
        words.append(f"{pids} processes")
    if any(True for _ in _throttles(reader.object("blockIO"))):
        words.append("disk throttled")
    return words + list(_unified(resources))


def _unified(resources: Mapping[str, Json]) -> dict[str, str]:
    """`unified`: files of version 2 by their own names."""
    reader = Reader(resources, POINTER).object("unified")
    for file in reader.value:
        if "/" in file or "." not in file:
            hint = "write it as controller.file, such as memory.high"
            raise ConfigError("is no cgroup file", pointer=reader.where(file), hint=hint)
    return {file: reader.text(file) for file in reader.value}


def _cpu_v1(cpu: Reader) -> Settings:
    names = (
        ("shares", "cpu.shares"),
        ("period", "cpu.cfs_period_us"),
        ("quota", "cpu.cfs_quota_us"),
    )
    return [(file, str(cpu.number(name))) for name, file in names if cpu.number(name)]


def _cpu_v2(cpu: Reader) -> Settings:
    files = []
    if cpu.number("shares"):
        files.append(("cpu.weight", str(weight(cpu.number("shares")))))
    quota, period = cpu.number("quota"), cpu.number("period", PERIOD_US)
    if quota or "period" in cpu.value:
        files.append(("cpu.max", f"{quota if quota > 0 else 'max'} {period}"))
    return files


def weight(shares: int) -> int:
    """cpu.shares (2 to 262144, usually 1024) as cpu.weight (1 to 10000, usually 100).

    The curve through (2, 1), (1024, 100) and (262144, 10000) that runc and crun use.
    """
    from math import ceil, log2

    if shares <= 2:
        return 1
    if shares >= 262_144:
        return 10_000
    exponent = log2(shares)
    return ceil(10 ** ((exponent * exponent + 125 * exponent) / 612 - 7 / 34))


def _memory_v1(memory: Reader) -> Settings:
    names = (
        ("limit", "memory.limit_in_bytes"),
        ("reservation", "memory.soft_limit_in_bytes"),
        ("swap", "memory.memsw.limit_in_bytes"),
    )
    return [(file, str(memory.number(name))) for name, file in names if memory.number(name)]


def _memory_v2(memory: Reader) -> Settings:
    """In OCI, as in version 1, `swap` is memory and swap together; in version 2 swap alone."""
    limit, swap = memory.number("limit"), memory.number("swap")
    files = []
    if limit:
        files.append(("memory.max", _or_max(limit)))
    if memory.number("reservation"):
        files.append(("memory.low", _or_max(memory.number("reservation"))))
    if swap:
        swap_alone = swap - limit if swap > 0 and limit > 0 else swap
        files.append(("memory.swap.max", _or_max(swap_alone)))
    return files


def _pids(pids: Reader) -> Settings:
    limit = pids.number("limit")
    return [("pids.max", str(limit) if limit > 0 else "max")] if limit else []


def _io_v1(block: Reader) -> Settings:
    return [(file, f"{device} {rate}") for file, _, device, rate in _throttles(block)]


def _io_v2(block: Reader) -> Settings:
    return [("io.max", f"{device} {key}={rate}") for _, key, device, rate in _throttles(block)]


def _throttles(block: Reader) -> Iterator[tuple[str, str, str, int]]:
    for member, file, key in THROTTLES:
        for entry in block.objects(member):
            device = f"{entry.number('major')}:{entry.number('minor')}"
            yield file, key, device, entry.number("rate")


def _or_max(value: int) -> str:
    return str(value) if value >= 0 else "max"


_TRANSLATE = {
    1: {"cpu": _cpu_v1, "memory": _memory_v1, "pids": _pids, "io": _io_v1},
    2: {"cpu": _cpu_v2, "memory": _memory_v2, "pids": _pids, "io": _io_v2},
}
