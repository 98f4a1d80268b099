"""What a container's cgroups count, in the layout of runc's events (its types/events.go).

Which version counts is seen by which file is there; what no cgroup counts is left out.
"""

from __future__ import annotations

import os

from minirt.linux.cgroup_files import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from minirt.codec import Json

    Object = dict[str, Json]

NS_PER_US = 1000
NS_PER_TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
UNLIMITED = (1 << 64) - 1
SETS = (
    "cpu_exclusive", "mem_hardwall", "mem_exclusive", "memory_migrate", "memory_spread_page",
    "memory_spread_slab", "memory_pressure", "sched_load_balance", "sched_relax_domain_level",
)  # fmt: skip
# The counters of version 1, in the order in which runc looks for them.
SERVICE = {
    "ioServiceBytesRecursive": ("bfq.io_service_bytes", "throttle.io_service_bytes"),
    "ioServicedRecursive": ("bfq.io_serviced", "throttle.io_serviced"),
}
SERVICE_V2 = {
    "ioServiceBytesRecursive": {"rbytes": "Read", "wbytes": "Write", "dbytes": "Discard"},
    "ioServicedRecursive": {"rios": "Read", "wios": "Write", "dios": "Discard"},
}


class Files:
    """The files of one container's cgroups, in whichever they are."""

    def __init__(self, directories: Sequence[str]) -> None:
        self.directories = directories

    def text(self, file: str) -> str:
        found = (read(directory, file) for directory in self.directories)
        return next((text.strip() for text in found if text), "")

    def number(self, file: str) -> int:
        text = self.text(file)
        return UNLIMITED if text == "max" else int(text or 0)

    def table(self, file: str) -> dict[str, int]:
        """A file of "key number" lines."""
        lines = (line.split() for line in self.text(file).splitlines())
        return {words[0]: int(words[1]) for words in lines if len(words) == 2}

    def has(self, file: str) -> bool:
        return any(os.path.exists(f"{directory}/{file}") for directory in self.directories)


def document(container_id: str, directories: Sequence[str]) -> Object:
    """The event "stats"."""
    files = Files(directories)
    data: Object = {
        "cpu": cpu(files),
        "cpuset": cpuset(files),
        "memory": memory(files),
        "pids": pids(files),
        "blkio": blkio(files),
        "hugetlb": hugetlb(files),
        "intel_rdt": {},
        "network_interfaces": None,
    }
    return {"type": "stats", "id": container_id, "data": data}


def cpu(files: Files) -> Object:
    stat = files.table("cpu.stat")
    usage: Object = {
        "total": stat.get("usage_usec", 0) * NS_PER_US,
        "kernel": stat.get("system_usec", 0) * NS_PER_US,
        "user": stat.get("user_usec", 0) * NS_PER_US,
    }
    if files.has("cpuacct.usage"):
        ticks = files.table("cpuacct.stat")
        each = [line.split() for line in files.text("cpuacct.usage_all").splitlines()[1:]]
        usage = {
            "total": files.number("cpuacct.usage"),
            "percpu": [int(word) for word in files.text("cpuacct.usage_percpu").split()],
            "percpu_kernel": [int(words[2]) for words in each],
            "percpu_user": [int(words[1]) for words in each],
            "kernel": ticks.get("system", 0) * NS_PER_TICK,
            "user": ticks.get("user", 0) * NS_PER_TICK,
        }
    throttled = stat.get("throttled_time", stat.get("throttled_usec", 0) * NS_PER_US)
    throttling = {
        "periods": stat.get("nr_periods", 0),
        "throttledPeriods": stat.get("nr_throttled", 0),
        "throttledTime": throttled,
    }
    return {"usage": usage, "throttling": _counted(throttling)}


def cpuset(files: Files) -> Object:
    def numbers(name: str) -> list[Json]:
        effective = files.text(f"cpuset.{name}.effective")
        return list(_expanded(files.text(f"cpuset.{name}") or effective))

    found: Object = {"cpus": numbers("cpus"), "mems": numbers("mems")}
    return {**found, **{name: files.number(f"cpuset.{name}") for name in SETS}}


def _expanded(ranges: str) -> list[int]:
    """The numbers of "0-2,5": [0, 1, 2, 5]."""
    found: list[int] = []
    for part in ranges.split(",") if ranges else ():
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def memory(files: Files) -> Object:
    raw = files.table("memory.stat")
    if files.has("memory.usage_in_bytes"):
        entries = {
            "usage": _entry_v1(files, "memory"),
            "swap": _entry_v1(files, "memory.memsw"),
            "kernel": _entry_v1(files, "memory.kmem"),
            "kernelTCP": _entry_v1(files, "memory.kmem.tcp"),
        }
        return {"cache": raw.get("cache", 0), **entries, "raw": raw}
    used, limit = files.number("memory.current"), files.number("memory.max")
    usage = {"limit": limit, "usage": used, "max": files.number("memory.peak")}
    swap = {
        "limit": min(files.number("memory.swap.max") + limit, UNLIMITED),
        "usage": files.number("memory.swap.current") + used,
    }
    nothing: Object = {"limit": 0, "failcnt": 0}
    return {
        "cache": raw.get("file", 0),
        "usage": {**usage, "failcnt": files.table("memory.events").get("max", 0)},
        "swap": {**swap, "failcnt": 0},
        "kernel": {**nothing, **_counted({"usage": raw.get("kernel", 0)})},
        "kernelTCP": nothing,
        "raw": raw,
    }


def _entry_v1(files: Files, prefix: str) -> Object:
    most = {
        "usage": files.number(f"{prefix}.usage_in_bytes"),
        "max": files.number(f"{prefix}.max_usage_in_bytes"),
    }
    limit = files.number(f"{prefix}.limit_in_bytes")
    return {"limit": limit, **_counted(most), "failcnt": files.number(f"{prefix}.failcnt")}


def pids(files: Files) -> Object:
    limit = files.number("pids.max")
    found = {"current": files.number("pids.current"), "limit": 0 if limit == UNLIMITED else limit}
    return dict(_counted(found))


def blkio(files: Files) -> Object:
    found: Object = {}
    for name, counters in SERVICE.items():
        texts = (files.text(f"blkio.{counter}_recursive") for counter in counters)
        lines = next((text for text in texts if ":" in text), "").splitlines()
        entries = [_operation(*words) for line in lines if len(words := line.split()) == 3]
        entries += _of_io_stat(files.text("io.stat"), SERVICE_V2[name])
        if entries:
            found[name] = entries
    return found


def _operation(device: str, operation: str, value: str) -> Object:
    major, _, minor = device.partition(":")
    return {"major": int(major), "minor": int(minor), "op": operation, "value": int(value)}


def _of_io_stat(text: str, names: dict[str, str]) -> list[Object]:
    """Version 2: lines of "8:0 rbytes=4096 wbytes=0 ..."."""
    found = []
    for line in text.splitlines():
        device, *pairs = line.split()
        for pair in pairs:
            key, _, value = pair.partition("=")
            if key in names:
                found.append(_operation(device, names[key], value))
    return found


def hugetlb(files: Files) -> Object:
    found: Object = {}
    for size in _page_sizes():
        if files.has(f"hugetlb.{size}.current"):
            found[size] = {"usage": files.number(f"hugetlb.{size}.current"), "failcnt": 0}
        elif files.has(f"hugetlb.{size}.usage_in_bytes"):
            most = files.number(f"hugetlb.{size}.max_usage_in_bytes")
            used = files.number(f"hugetlb.{size}.usage_in_bytes")
            failed = files.number(f"hugetlb.{size}.failcnt")
            found[size] = {"usage": used, "max": most, "failcnt": failed}
    return found


def _page_sizes() -> list[str]:
    """The sizes of huge pages here, as the files of the controller have them: "2MB"."""
    try:
        names = os.listdir("/sys/kernel/mm/hugepages")
    except FileNotFoundError:
        return []
    kib = [int(name.removeprefix("hugepages-").removesuffix("kB")) for name in names]
    return [f"{n >> 20}GB" if n >= 1 << 20 else f"{n >> 10}MB" for n in sorted(kib)]


def _counted(numbers: dict[str, int]) -> dict[str, int]:
    """What is left out, as in runc, where it is 0."""
    return {name: number for name, number in numbers.items() if number}
