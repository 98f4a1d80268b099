"""Spec -> plan: which mechanisms, with what values, in the one order that works.

The order is the kernel's. The user namespace first: it grants the rights for the rest. The
cgroup before its namespace, which takes the cgroup it finds as its root. Mounts before
pivot_root, masked paths after it, capabilities when nothing needs them any more, and seccomp as
the last call before execve.
"""

from __future__ import annotations

from minirt.errors import ConfigError
from minirt.mechanism import Mechanism
from minirt.mechanisms.devices import Devices
from minirt.mechanisms.hooks import Hooks
from minirt.mechanisms.ipc import Ipc
from minirt.mechanisms.masked_paths import MaskedPaths
from minirt.mechanisms.mnt import Mnt
from minirt.mechanisms.mounts import Mounts
from minirt.mechanisms.overlay import Overlay
from minirt.mechanisms.pid import Pid
from minirt.mechanisms.pivot import Pivot
from minirt.mechanisms.terminal import Terminal
from minirt.mechanisms.uts import Uts
from minirt.mount_options import mount_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from minirt.spec import Spec

    Builder = Callable[[Spec], Mechanism | None]
Plan = tuple[Mechanism, ...]


def _pid(spec: Spec) -> Pid | None:
    return Pid() if "pid" in spec.namespaces else None


def _ipc(spec: Spec) -> Ipc | None:
    return Ipc() if "ipc" in spec.namespaces else None


def _uts(spec: Spec) -> Uts | None:
    return Uts(spec.hostname) if "uts" in spec.namespaces else None


def _mnt(spec: Spec) -> Mnt | None:
    return Mnt() if "mnt" in spec.namespaces else None


def _overlay(spec: Spec) -> Overlay | None:
    return Overlay(spec.layers, owner(spec), overlay_options(spec)) if spec.layers else None


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


def _terminal(spec: Spec) -> Terminal | None:
    return Terminal(spec.process.uid) if spec.process.terminal else None


def _hooks(spec: Spec) -> Hooks | None:
    return Hooks(spec.hooks) if any(spec.hooks.values()) else None


# The canonical order: top to bottom in every phase, bottom to top in teardown.
ORDER: tuple[tuple[type[Mechanism], Builder], ...] = (
    (Pid, _pid),
    (Ipc, _ipc),
    (Uts, _uts),
    (Mnt, _mnt),
    (Overlay, _overlay),
    (Mounts, _mounts),
    (Devices, _devices),
    (Hooks, _hooks),
    (Pivot, _pivot),
    (MaskedPaths, _masked_paths),
    (Terminal, _terminal),
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
