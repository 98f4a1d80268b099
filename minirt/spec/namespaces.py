"""`linux.namespaces` and what belongs to single ones: maps of ids, clocks, devices."""

from __future__ import annotations

from minirt.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from minirt.reader import Reader

# OCI's name for a namespace -> its name under /proc/PID/ns.
NAMESPACES = {
    "pid": "pid", "network": "net", "mount": "mnt", "ipc": "ipc", "uts": "uts",
    "user": "user", "cgroup": "cgroup", "time": "time",
}  # fmt: skip
IdMap = tuple[int, int, int]
LARGEST_ID = 0xFFFFFFFF
CLOCKS = ("monotonic", "boottime")
SECOND = 1_000_000_000


def namespaces(linux: Reader) -> dict[str, str]:
    """Each by its name under /proc/PID/ns: the path to join, or "" for a new one."""
    found: dict[str, str] = {}
    for entry in linux.objects("namespaces"):
        kind, path = entry.text("type"), entry.text("path")
        if kind not in NAMESPACES:
            known = ", ".join(NAMESPACES)
            raise ConfigError(f'"{kind}" is not one of {known}', pointer=entry.where("type"))
        if path and not path.startswith("/"):
            raise ConfigError("must be an absolute path", pointer=entry.where("path"))
        if NAMESPACES[kind] in found:
            what = f"there is a namespace of the type {kind} already"
            raise ConfigError(what, pointer=entry.where("type"), hint="name each type once")
        found[NAMESPACES[kind]] = path
    return found


def id_maps(owner: Reader, member: str) -> tuple[IdMap, ...]:
    """`uidMappings` or `gidMappings`: (first inside, first outside, how many)."""
    return tuple(_id_map(entry) for entry in owner.objects(member))


def _id_map(entry: Reader) -> IdMap:
    size = entry.number("size")
    if not 1 <= size <= LARGEST_ID:
        raise ConfigError(f"must lie between 1 and {LARGEST_ID}", pointer=entry.where("size"))
    for name in ("containerID", "hostID"):
        if not 0 <= entry.number(name) <= LARGEST_ID + 1 - size:
            what = f"must lie between 0 and {LARGEST_ID + 1 - size}"
            raise ConfigError(what, pointer=entry.where(name))
    return entry.number("containerID"), entry.number("hostID"), size


def refuse_resctrl(linux: Reader) -> None:
    """ConfigError for `intelRdt`: it was never seen on a processor that has it."""
    if linux.value.get("intelRdt") is not None:
        what = "minirt does not divide caches and memory bandwidth (resctrl)"
        hint = "leave it out; a createRuntime hook can put init into a group of /sys/fs/resctrl"
        raise ConfigError(what, pointer=linux.where("intelRdt"), hint=hint)


def require_maps(linux: Reader, given: Mapping[str, str]) -> None:
    """ConfigError for maps without a user namespace, and for a new one without maps.

    One that is joined has its own; engines give them again, for the files.
    """
    maps = {name: bool(linux.items(name)) for name in ("uidMappings", "gidMappings")}
    for name, there in maps.items():
        if there and "user" not in given:
            what = "is for a user namespace, and there is none"
            hint = 'add {"type": "user"} to /linux/namespaces'
            raise ConfigError(what, pointer=linux.where(name), hint=hint)
        if not there and given.get("user") == "":
            what = "is missing: a new user namespace has no ids without it"
            raise ConfigError(what, pointer=linux.where(name), hint="map id 0 at least")


def time_offsets(linux: Reader, given: Mapping[str, str]) -> dict[str, tuple[int, int]]:
    """How far each clock is ahead: (seconds, nanoseconds)."""
    offsets = linux.object("timeOffsets")
    found = {}
    for clock in offsets.value:
        entry = offsets.object(clock)
        if clock not in CLOCKS:
            known = " or ".join(CLOCKS)
            raise ConfigError(f'"{clock}" is not {known}', pointer=offsets.where(clock))
        if given.get("time") != "":
            what = "is for a new time namespace, and there is none"
            hint = 'add {"type": "time"} to /linux/namespaces'
            raise ConfigError(what, pointer=linux.where("timeOffsets"), hint=hint)
        if not 0 <= entry.number("nanosecs") < SECOND:
            what = f"must lie between 0 and {SECOND - 1}"
            raise ConfigError(what, pointer=entry.where("nanosecs"))
        found[clock] = entry.number("secs"), entry.number("nanosecs")
    return found


def net_devices(linux: Reader, given: Mapping[str, str]) -> dict[str, str]:
    """Devices of the host to move inside, with their names there."""
    devices = linux.object("netDevices")
    if not devices.value:
        return {}
    from minirt.linux.netdev import check_name

    found: dict[str, str] = {}
    for name in devices.value:
        entry = devices.object(name)
        inside = entry.text("name") or name
        for checked, pointer in ((name, devices.where(name)), (inside, entry.where("name"))):
            try:
                check_name(checked)
            except ConfigError as error:
                raise ConfigError(error.what, pointer=pointer, hint=error.hint) from None
        if "net" not in given:
            what = "cannot be moved: there is no private network namespace"
            hint = 'add {"type": "network"} to /linux/namespaces'
            raise ConfigError(what, pointer=devices.where(name), hint=hint)
        if inside in found.values():
            what = f"there is a device with the name {inside} already"
            raise ConfigError(what, pointer=entry.where("name"), hint="choose another name")
        found[name] = inside
    return found
