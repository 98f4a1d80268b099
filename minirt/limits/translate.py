"""linux.resources as (file, value) pairs of each controller, in the order to write them in.

Controllers go by their names of version 2. What a version cannot do is translated to a file that
it does not have: the attempt to write it says so, with its name.
"""

from __future__ import annotations

from minirt.errors import ConfigError
from minirt.limits import POINTER, block, cpu, memory, others
from minirt.reader import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from minirt.codec import Json
    from minirt.limits.ranges import Settings

MIB = 1 << 20
# The member that each controller is for; "" is linux.resources itself.
MEMBERS = {
    "cpu": "cpu", "memory": "memory", "pids": "pids", "io": "blockIO", "cpuset": "cpu",
    "hugetlb": "", "rdma": "", "net_cls": "network", "net_prio": "network",
}  # fmt: skip
# Where a file comes from, if its name does not say it as "pids.max" does.
ORIGINS = {
    "cpu.shares": "cpu/shares", "cpu.weight": "cpu/shares", "cpu.max": "cpu/quota",
    "cpu.cfs_period_us": "cpu/period", "cpu.cfs_quota_us": "cpu/quota",
    "cpu.cfs_burst_us": "cpu/burst", "cpu.max.burst": "cpu/burst", "cpu.idle": "cpu/idle",
    "cpu.rt_period_us": "cpu/realtimePeriod", "cpu.rt_runtime_us": "cpu/realtimeRuntime",
    "cpuset.cpus": "cpu/cpus", "cpuset.mems": "cpu/mems",
    "memory.limit_in_bytes": "memory/limit", "memory.max": "memory/limit",
    "memory.soft_limit_in_bytes": "memory/reservation", "memory.low": "memory/reservation",
    "memory.memsw.limit_in_bytes": "memory/swap", "memory.swap.max": "memory/swap",
    "memory.use_hierarchy": "memory/useHierarchy", "memory.swappiness": "memory/swappiness",
    "memory.oom_control": "memory/disableOOMKiller",
    "memory.kmem.tcp.limit_in_bytes": "memory/kernelTCP",
    "pids.max": "pids/limit", "rdma.max": "rdma",
    "net_cls.classid": "network/classID", "net_prio.ifpriomap": "network/priorities",
    "io.weight": "blockIO/weight", "io.max": "blockIO",
    "blkio.weight": "blockIO/weight", "blkio.leaf_weight": "blockIO/leafWeight",
    "blkio.weight_device": "blockIO/weightDevice",
    "blkio.leaf_weight_device": "blockIO/weightDevice",
    **{file: f"blockIO/{member}" for member, file, _ in block.THROTTLES},
}  # fmt: skip


def limited(resources: Mapping[str, Json]) -> list[str]:
    """The controllers that `resources` has limits for."""
    by_name = [file.partition(".")[0] for file in _unified(resources)]
    return list(dict.fromkeys([c for c in MEMBERS if _translated(resources, c, 1)] + by_name))


def settings(resources: Mapping[str, Json], controller: str, version: int) -> Settings:
    """The files of `controller` to write in a cgroup of this version; [] for no limit."""
    own = [(f, v) for f, v in _unified(resources).items() if f.startswith(f"{controller}.")]
    if own and version == 1:
        raise ConfigError(
            "invalid configuration: this is for cgroups of version 2, and the controller"
            f" {controller} is one of version 1 here",
            pointer=pointer(resources, own[0][0]),
            hint="limit it by the member of linux.resources that stands for it",
        )
    return _translated(resources, controller, version) + own


def _translated(resources: Mapping[str, Json], controller: str, version: int) -> Settings:
    if controller not in MEMBERS:
        return []
    reader, member = Reader(resources, POINTER), MEMBERS[controller]
    return _TRANSLATE[version][controller](reader.object(member) if member else reader)


def pointer(resources: Mapping[str, Json], file: str) -> str:
    """The JSON pointer to what is written to `file`."""
    if file in _unified(resources):
        return f"{POINTER}/unified/{file}"
    origin = "hugepageLimits" if file.startswith("hugetlb.") else ORIGINS.get(file, "")
    return f"{POINTER}/{origin}".rstrip("/")


def shown(resources: Mapping[str, Json]) -> list[str]:
    """The limits in words: ["0.5 CPUs", "64 MiB of memory", "100 processes"]."""
    reader = Reader(resources, POINTER)
    time, limit = reader.object("cpu"), reader.object("memory").number("limit")
    quota, pids = time.number("quota"), reader.object("pids").number("limit")
    words = []
    if quota > 0:
        words.append(f"{quota / (time.number('period') or cpu.PERIOD_US):g} CPUs")
    if limit > 0:
        words.append(f"{limit / MIB:g} MiB of memory")
    if pids > 0:
        words.append(f"{pids} processes")
    if any(True for _ in block.throttles(reader.object("blockIO"))):
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


_TRANSLATE = {
    1: {
        "cpu": cpu.version_1, "memory": memory.version_1, "pids": others.pids,
        "io": block.version_1, "cpuset": cpu.sets,
        "hugetlb": lambda r: others.hugetlb(r, "limit_in_bytes"), "rdma": others.rdma,
        "net_cls": others.net_cls, "net_prio": others.net_prio,
    },
    2: {
        "cpu": cpu.version_2, "memory": memory.version_2, "pids": others.pids,
        "io": block.version_2, "cpuset": cpu.sets,
        "hugetlb": lambda r: others.hugetlb(r, "max"), "rdma": others.rdma,
        "net_cls": others.net_cls, "net_prio": others.net_prio,
    },
}  # fmt: skip
