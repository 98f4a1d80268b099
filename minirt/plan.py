"""Spec -> plan: which mechanisms, with what values, in the one order that works.

The order is the kernel's. The user namespace first: it grants the rights for the rest. The
cgroup before its namespace, which takes the cgroup it finds as its root. Mounts before
pivot_root, masked paths after it, capabilities when nothing needs them any more, and seccomp as
the last call before execve.
"""

from __future__ import annotations

import os

from minirt import seccomp_cache
from minirt.errors import ConfigError
from minirt.host import cache
from minirt.mechanism import Mechanism
from minirt.mechanisms.bounding_set import BoundingSet
from minirt.mechanisms.bridge import Bridge
from minirt.mechanisms.capabilities import Capabilities
from minirt.mechanisms.cgroup import Cgroup
from minirt.mechanisms.cgroup_ns import CgroupNamespace
from minirt.mechanisms.devices import Devices
from minirt.mechanisms.etc_files import EtcFiles
from minirt.mechanisms.hooks import Hooks
from minirt.mechanisms.identity import Identity
from minirt.mechanisms.ipc import Ipc
from minirt.mechanisms.loopback import Loopback
from minirt.mechanisms.mapped_overlay import MappedOverlay
from minirt.mechanisms.masked_paths import MaskedPaths
from minirt.mechanisms.mnt import Mnt
from minirt.mechanisms.mounts import Mounts
from minirt.mechanisms.names import Names
from minirt.mechanisms.nat import Nat
from minirt.mechanisms.no_new_privs import NoNewPrivs
from minirt.mechanisms.overlay import Overlay
from minirt.mechanisms.pid import Pid
from minirt.mechanisms.pivot import Pivot
from minirt.mechanisms.rlimits import Rlimits
from minirt.mechanisms.seccomp import Seccomp
from minirt.mechanisms.terminal import Terminal
from minirt.mechanisms.user import User
from minirt.mechanisms.uts import Uts
from minirt.mechanisms.veth import Veth
from minirt.mount_options import mount_of
from minirt.networks import Network

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from minirt.spec import Spec

    Builder = Callable[[Spec], Mechanism | None]
Plan = tuple[Mechanism, ...]


def _user(spec: Spec) -> User | None:
    return User(spec.uid_maps, spec.gid_maps) if _new(spec, "user") else None


def _cgroup(spec: Spec) -> Cgroup | None:
    return Cgroup(spec.cgroups_path, spec.cgroup_resources) if spec.cgroups_path else None


def _cgroup_ns(spec: Spec) -> CgroupNamespace | None:
    joined = bool(spec.namespaces.get("cgroup"))
    return CgroupNamespace(joined=joined) if "cgroup" in spec.namespaces else None


def _pid(spec: Spec) -> Pid | None:
    return Pid() if "pid" in spec.namespaces else None


def _ipc(spec: Spec) -> Ipc | None:
    return Ipc() if "ipc" in spec.namespaces else None


def _uts(spec: Spec) -> Uts | None:
    return Uts(spec.hostname) if "uts" in spec.namespaces else None


def _loopback(spec: Spec) -> Loopback | None:
    return Loopback() if "net" in spec.namespaces else None


def _bridge(spec: Spec) -> Bridge | None:
    return Bridge(Network()) if spec.network.mode == "bridge" else None


def _veth(spec: Spec) -> Veth | None:
    return Veth(Network()) if spec.network.mode == "bridge" else None


def _nat(spec: Spec) -> Nat | None:
    return Nat(Network(), spec.network.publish) if spec.network.mode == "bridge" else None


def _names(spec: Spec) -> Names | None:
    return Names(Network(), spec.hostname) if spec.network.mode == "bridge" else None


def _etc_files(spec: Spec) -> EtcFiles | None:
    return EtcFiles(spec.hostname, spec.network.mode) if spec.network.mode else None


def _mnt(spec: Spec) -> Mnt | None:
    return Mnt() if "mnt" in spec.namespaces else None


def _overlay(spec: Spec) -> Overlay | MappedOverlay | None:
    if not spec.layers:
        return None
    if _new(spec, "user") and os.geteuid() == 0:
        return MappedOverlay(spec.layers, owner(spec))
    return Overlay(spec.layers, owner(spec), overlay_options(spec))


def _mounts(spec: Spec) -> Mounts | None:
    return Mounts(tuple(mount_of(entry) for entry in spec.mounts)) if spec.mounts else None


def _devices(spec: Spec) -> Devices | None:
    return Devices(bind="user" in spec.namespaces) if spec.layers else None


def _pivot(spec: Spec) -> Pivot | None:
    return Pivot(readonly=spec.rootfs_readonly) if spec.layers else None


def _masked_paths(spec: Spec) -> MaskedPaths | None:
    if not spec.masked_paths and not spec.readonly_paths:
        return None
    return MaskedPaths(spec.masked_paths, spec.readonly_paths)


def _bounding_set(spec: Spec) -> BoundingSet | None:
    sets = spec.process.capabilities
    return BoundingSet(sets["bounding"], spec.required_capabilities) if sets else None


def _identity(spec: Spec) -> Identity:
    who = spec.process
    return Identity(who.uid, who.gid, who.groups, who.umask)


def _capabilities(spec: Spec) -> Capabilities | None:
    sets = spec.process.capabilities
    return Capabilities(**sets) if sets else None


def _rlimits(spec: Spec) -> Rlimits | None:
    return Rlimits(spec.process.rlimits) if spec.process.rlimits else None


def _no_new_privs(spec: Spec) -> NoNewPrivs | None:
    return NoNewPrivs() if spec.process.no_new_privs else None


def _seccomp(spec: Spec) -> Seccomp | None:
    directory = f"{cache.directory()}/seccomp"
    if spec.seccomp:
        return Seccomp(lambda: seccomp_cache.program(spec.seccomp, directory), "given")
    if spec.default_seccomp:
        kept = (spec.process.capabilities or {}).get("bounding", ())
        return Seccomp(lambda: seccomp_cache.default_program(kept, directory))
    return None


def _new(spec: Spec, namespace: str) -> bool:
    return spec.namespaces.get(namespace) == ""


def _terminal(spec: Spec) -> Terminal | None:
    return Terminal(spec.process.uid) if spec.process.terminal else None


def _hooks(spec: Spec) -> Hooks | None:
    return Hooks(spec.hooks) if any(spec.hooks.values()) else None


# The canonical order: top to bottom in every phase, bottom to top in teardown.
ORDER: tuple[tuple[type[Mechanism], Builder], ...] = (
    (User, _user),
    (Cgroup, _cgroup),
    (CgroupNamespace, _cgroup_ns),
    (Pid, _pid),
    (Ipc, _ipc),
    (Uts, _uts),
    (Loopback, _loopback),
    (Bridge, _bridge),
    (Veth, _veth),
    (Nat, _nat),
    (Names, _names),
    (EtcFiles, _etc_files),
    (Mnt, _mnt),
    (Overlay, _overlay),
    (Mounts, _mounts),
    (Devices, _devices),
    (Hooks, _hooks),
    (Pivot, _pivot),
    (MaskedPaths, _masked_paths),
    (Terminal, _terminal),
    (BoundingSet, _bounding_set),
    (Identity, _identity),
    (Capabilities, _capabilities),
    (Rlimits, _rlimits),
    (NoNewPrivs, _no_new_privs),
    (Seccomp, _seccomp),
)
ALL = tuple(cls.name for cls, _ in ORDER)


def build(spec: Spec, allowed: Iterable[str] = ALL) -> Plan:
    """The mechanisms that `spec` asks for, of those `allowed` (by name), in canonical order."""
    wanted = frozenset(allowed)
    built = (builder(spec) for cls, builder in ORDER if cls.name in wanted)
    return tuple(mechanism for mechanism in built if mechanism is not None)


def namespaces(plan: Plan, spec: Spec) -> dict[str, str]:
    """The namespaces to make ("") or join (a path): those of the plan's mechanisms."""
    return {m.namespace: spec.namespaces[m.namespace] for m in plan if m.namespace}


def owner(spec: Spec) -> tuple[int, int]:
    """The host's (uid, gid) of root inside."""
    return host_id(spec.uid_maps, 0), host_id(spec.gid_maps, 0)


def host_id(maps: Iterable[tuple[int, int, int]], inside: int) -> int:
    """What the id `inside` is outside; without maps the same."""
    maps = tuple(maps)
    for container_id, outside, size in maps:
        if container_id <= inside < container_id + size:
            return outside + inside - container_id
    if maps:
        raise ConfigError(
            f"maps no id to {inside}", pointer="/linux/uidMappings", hint="map id 0 too"
        )
    return inside


def overlay_options(spec: Spec) -> tuple[str, ...]:
    """In a user namespace overlayfs may not write trusted.* attributes."""
    return ("userxattr",) if "user" in spec.namespaces else ()
