"""linux.resources.pids, hugepageLimits, rdma and network: a file or two each."""

from __future__ import annotations

from minirt.errors import ConfigError
from minirt.limits.ranges import MOST_UNSIGNED, UNLIMITED, within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.limits.ranges import Settings
    from minirt.reader import Reader

MOST_32_BIT = (1 << 32) - 1
SIZES = ("KB", "MB", "GB")


def pids(reader: Reader) -> Settings:
    limit = within(reader, "limit", UNLIMITED)
    return [("pids.max", str(limit) if limit > 0 else "max")] if limit else []


def hugetlb(resources: Reader, file: str) -> Settings:
    """`file` is what the limit is called in this version."""
    found = []
    for entry in resources.objects("hugepageLimits"):
        size = entry.text("pageSize")
        if size[-2:] not in SIZES or not size[:-2].isdecimal():
            raise ConfigError(
                f'"{size}" is not a size of pages',
                pointer=entry.where("pageSize"),
                hint="write it as 2MB or 1GB",
            )
        found.append((f"hugetlb.{size}.{file}", str(within(entry, "limit", 0, MOST_UNSIGNED))))
    return found


def rdma(resources: Reader) -> Settings:
    devices = resources.object("rdma")
    names = (("hcaHandles", "hca_handle"), ("hcaObjects", "hca_object"))
    found = []
    for device in devices.value:
        limits = devices.object(device)
        words = [f"{key}={within(limits, n, 0)}" for n, key in names if n in limits.value]
        if words:
            found.append(("rdma.max", " ".join([device, *words])))
    return found


def net_cls(network: Reader) -> Settings:
    number = within(network, "classID", 0, MOST_32_BIT)
    return [("net_cls.classid", str(number))] if number else []


def net_prio(network: Reader) -> Settings:
    return [
        ("net_prio.ifpriomap", f"{entry.text('name')} {within(entry, 'priority', 0, MOST_32_BIT)}")
        for entry in network.objects("priorities")
    ]
