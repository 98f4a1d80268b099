"""linux.resources.blockIO: how much of each disk."""

from __future__ import annotations

from minirt.limits.ranges import MOST_UNSIGNED, within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from minirt.limits.ranges import Settings
    from minirt.reader import Reader

LEAST_WEIGHT, MOST_WEIGHT = 10, 1000
MOST_MAJOR, MOST_MINOR = (1 << 12) - 1, (1 << 20) - 1
THROTTLES = (
    ("throttleReadBpsDevice", "blkio.throttle.read_bps_device", "rbps"),
    ("throttleWriteBpsDevice", "blkio.throttle.write_bps_device", "wbps"),
    ("throttleReadIOPSDevice", "blkio.throttle.read_iops_device", "riops"),
    ("throttleWriteIOPSDevice", "blkio.throttle.write_iops_device", "wiops"),
)


def version_1(block: Reader) -> Settings:
    weights = [
        (f"blkio.{file}", weight)
        for name, file in (("weight", "weight"), ("leafWeight", "leaf_weight"))
        if (weight := _weight(block, name))
    ]
    weights += [
        (f"blkio.{file}_device", f"{device} {weight}")
        for name, file in (("weight", "weight"), ("leafWeight", "leaf_weight"))
        for device, weight in _of_devices(block, name)
    ]
    return weights + [(file, f"{device} {rate}") for file, _, device, rate in throttles(block)]


def version_2(block: Reader) -> Settings:
    """Version 2 has no weight for leaves; there the files of version 1 are looked for in vain."""
    weight = _weight(block, "weight")
    files = [("io.weight", _scaled(weight))] if weight else []
    files += [("io.weight", f"{d} {_scaled(w)}") for d, w in _of_devices(block, "weight")]
    files += [item for item in version_1(block) if item[0].startswith("blkio.leaf")]
    rates = [("io.max", f"{device} {key}={rate}") for _, key, device, rate in throttles(block)]
    return files + rates


def _weight(reader: Reader, name: str) -> str:
    """The weight as text; "" for none, which engines write as 0."""
    return str(within(reader, name, LEAST_WEIGHT, MOST_WEIGHT) or "")


def _of_devices(block: Reader, name: str) -> Iterator[tuple[str, str]]:
    for entry in block.objects("weightDevice"):
        if weight := _weight(entry, name):
            yield _device(entry), weight


def _scaled(weight: str) -> str:
    """10 to 1000 of version 1 as 1 to 10000 of version 2, as runc and crun do."""
    return str(1 + (int(weight) - LEAST_WEIGHT) * 9999 // (MOST_WEIGHT - LEAST_WEIGHT))


def throttles(block: Reader) -> Iterator[tuple[str, str, str, int]]:
    """(file of version 1, key of io.max, device, rate) of each throttle."""
    for member, file, key in THROTTLES:
        for entry in block.objects(member):
            yield file, key, _device(entry), within(entry, "rate", 0, MOST_UNSIGNED)


def _device(entry: Reader) -> str:
    return f"{within(entry, 'major', 0, MOST_MAJOR)}:{within(entry, 'minor', 0, MOST_MINOR)}"
