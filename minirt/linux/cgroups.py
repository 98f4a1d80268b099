"""Control groups as this machine has them: which hierarchy holds which controller (cgroups(7)).

Hierarchies are found in mountinfo by file system type ("cgroup": version 1, one or several
controllers each; "cgroup2": version 2), never by path: /sys/fs/cgroup can be a plain tmpfs,
where making a directory succeeds and limits nothing. Controllers go by their names of version 2.
"""

from __future__ import annotations

import os

from minirt.errors import HostError
from minirt.linux.cgroupfs import read
from minirt.linux.files import read_all
from minirt.linux.mountinfo import Mount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

CONTROLLERS = ("cpu", "memory", "pids", "io")
COUNTING = ("cpu", "memory", "pids")  # used even without a limit, for what they count
V1_NAMES = {"io": "blkio"}
# Where this process goes when its own cgroup becomes a parent: on version 2 a cgroup that hands
# controllers to children must not hold processes itself.
CALLER = "minirt-caller"
NO_LIMITS = (
    "or ask for no limits (for minirt-oci: write config.json with minirt-oci spec --rootless)"
)
NEEDS_ROOT = f"run it as root, {NO_LIMITS}"
NEEDS_DELEGATION = (
    "run it as root, or in a delegated cgroup (systemd-run --user --scope -p Delegate=yes "
    f"COMMAND), {NO_LIMITS}"
)


class Hierarchy:
    """One mounted tree of cgroups.

    version      1 or 2
    mountpoint   where it is mounted
    root         the cgroup that the mount point shows; "/" but for bind mounts
    own          the cgroup of this process in it, as /proc/self/cgroup names it
    controllers  version 1: those it was mounted with; version 2: what its top can hand down
    """

    __slots__ = ("controllers", "mountpoint", "own", "root", "version")

    def __init__(self, version: int, mount: Mount, own: str, controllers: Iterable[str]) -> None:
        self.version = version
        self.mountpoint = mount.mountpoint
        self.root = mount.root
        self.own = own
        self.controllers = tuple(controllers)

    def base(self, path: str) -> str:
        """The existing directory below which cgroup `path` is made.

        For an absolute path it is the mount point; for a relative one our own cgroup, the only
        place where an ordinary user may have been given rights.
        """
        return self.mountpoint if path.startswith("/") else self.home()

    def home(self) -> str:
        """The directory of our own cgroup, or what it was before it became a parent."""
        prefix = self.root.rstrip("/")
        if self.own != self.root and not self.own.startswith(f"{prefix}/"):
            raise HostError(
                f"our own cgroup {self.own} cannot be reached below {self.mountpoint}",
                hint="use an absolute cgroupsPath",
            )
        own = self.mountpoint + self.own[len(prefix) :].rstrip("/")
        return own.removesuffix(f"/{CALLER}")

    def directory(self, path: str) -> str:
        """The directory that cgroup `path` has, or will have."""
        return f"{self.base(path)}/{path.lstrip('/')}"


class Controller:
    """What can be done with one controller here: `why` not, and the remedy; "" if it can."""

    __slots__ = ("hierarchy", "hint", "name", "why")

    def __init__(
        self, name: str, hierarchy: Hierarchy | None, why: str = "", hint: str = ""
    ) -> None:
        self.name = name
        self.hierarchy = hierarchy
        self.why = why
        self.hint = hint

    def describe(self) -> str:
        """Where it is, or why not: "memory: version 1, /sys/fs/cgroup/memory"."""
        if self.hierarchy is None or self.why:
            return f"{self.name}: {self.why}"
        return f"{self.name}: version {self.hierarchy.version}, {self.hierarchy.mountpoint}"

    def error(self) -> HostError:
        problem = f"cannot use the cgroup controller {self.name}: {self.why}"
        return HostError(problem, hint=self.hint)


def hierarchies() -> list[Hierarchy]:
    """The hierarchies this process can reach, in mount order; [] without any cgroup mount."""
    try:
        own = os.fsdecode(read_all("/proc/self/cgroup"))
    except FileNotFoundError:  # a kernel built without cgroups
        return []
    lines = os.fsdecode(read_all("/proc/self/mountinfo")).split("\n")
    table = [Mount(line) for line in lines if " - cgroup" in line]
    found = parse([mount for mount in table if _visible(mount)], own)
    for hierarchy in found:
        if hierarchy.version == 2:
            hierarchy.controllers = tuple(handed_down(hierarchy.mountpoint))
    return found


def parse(table: Iterable[Mount], own: str) -> list[Hierarchy]:
    """Match mounts of cgroup file systems with `own`, the text of /proc/self/cgroup."""
    places = dict(line.split(":", 2)[1:] for line in own.splitlines())
    found: dict[str, Hierarchy] = {}
    for mount in table:
        names = _controllers(mount, places)
        if names in places and names not in found:  # a second mount of it shows nothing new
            version = 1 if names else 2
            found[names] = Hierarchy(version, mount, places[names], names.split(","))
    return list(found.values())


def _controllers(mount: Mount, places: Iterable[str]) -> str | None:
    """Which line of /proc/self/cgroup is about this mount: "cpu,cpuacct"; "" for version 2."""
    if mount.fstype == "cgroup2":
        return ""
    options = set(mount.super_options)
    return next((names for names in places if names and options.issuperset(names.split(","))), None)


def _visible(mount: Mount) -> bool:
    """Does its mount point lead to it, or to something mounted over it later?"""
    try:
        device = os.stat(mount.mountpoint).st_dev
    except OSError:
        return False
    return mount.device == f"{os.major(device)}:{os.minor(device)}"


def handed_down(directory: str) -> list[str]:
    """The controllers that a version 2 cgroup may enable for its children."""
    return read(directory, "cgroup.controllers").split()


def holder(found: Iterable[Hierarchy], controller: str) -> Hierarchy | None:
    """The hierarchy that holds `controller` ("io" is "blkio" in version 1)."""
    names = {1: V1_NAMES.get(controller, controller), 2: controller}
    return next((h for h in found if names[h.version] in h.controllers), None)


def available(path: str, names: Iterable[str] = CONTROLLERS) -> list[Controller]:
    """For each controller: which hierarchy holds it, and why cgroup `path` cannot use it."""
    found = hierarchies()
    return [_look_at(name, holder(found, name), path) for name in names]


def choose(path: str, limited: Iterable[str], *, every: bool = False) -> dict[Hierarchy, list[str]]:
    """The controllers that cgroup `path` shall use, by hierarchy.

    Those to be `limited` must be usable here: HostError names the one that is not, and the
    remedy. Those that only count are taken where they can be had; with `every`, all that there
    are, and hierarchies without one: engines look there.
    """
    found = hierarchies()
    wanted = dict.fromkeys([*COUNTING, *sorted(limited)])
    groups: dict[Hierarchy, list[str]] = {}
    if every:
        groups = {hierarchy: [] for hierarchy in found if _reachable(hierarchy, path)}
        # Beside version 1, what version 2 hands down is for the whole machine to decide.
        wanted |= dict.fromkeys(found[0].controllers if len(found) == 1 else ())
    controllers = [_look_at(name, holder(found, name), path) for name in wanted]
    for controller in controllers:
        if controller.hierarchy and not controller.why:
            groups.setdefault(controller.hierarchy, []).append(controller.name)
        elif controller.name in limited:
            raise controller.error()
    if not groups:
        raise controllers[0].error()
    return groups


def _reachable(hierarchy: Hierarchy, path: str) -> bool:
    try:
        return os.access(hierarchy.base(path), os.W_OK, effective_ids=True)
    except HostError:
        return False


def _look_at(name: str, hierarchy: Hierarchy | None, path: str) -> Controller:
    if hierarchy is None:
        hint = "mount -t cgroup2 none /sys/fs/cgroup, if no cgroup hierarchy is mounted"
        return Controller(name, None, "no mounted hierarchy has it", hint)
    base = hierarchy.base(path)
    v2 = hierarchy.version == 2
    if not os.access(base, os.W_OK, effective_ids=True):
        hint = NEEDS_DELEGATION if v2 else NEEDS_ROOT
        return Controller(name, hierarchy, f"{base} is not writable for us", hint)
    if v2 and name not in handed_down(base):
        return Controller(name, hierarchy, f"it is not delegated to {base}", NEEDS_DELEGATION)
    return Controller(name, hierarchy)
