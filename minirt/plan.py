"""Spec -> plan: which mechanisms, in the one order that works.

The order is the kernel's. The user namespace first: it grants the rights for the rest. The
cgroup before its namespace, which takes the cgroup it finds as its root. Mounts before
pivot_root, masked paths after it, capabilities when nothing needs them any more, and seccomp as
the last call before execve.
"""

from __future__ import annotations

from minirt import builders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from minirt.mechanism import Mechanism
    from minirt.spec import Spec

    Builder = Callable[[Spec], Mechanism | None]
    Plan = tuple[Mechanism, ...]

# The canonical order: top to bottom in every phase, bottom to top in teardown.
ORDER: dict[str, Builder] = {
    "user": builders.user,
    "cgroup": builders.cgroup,
    "cgroup_ns": builders.cgroup_ns,
    "pid": builders.pid,
    "ipc": builders.ipc,
    "uts": builders.uts,
    "loopback": builders.loopback,
    "bridge": builders.bridge,
    "veth": builders.veth,
    "nat": builders.nat,
    "names": builders.names,
    "etc_files": builders.etc_files,
    "mnt": builders.mnt,
    "overlay": builders.overlay,
    "mounts": builders.mounts,
    "devices": builders.devices,
    "hooks": builders.hooks,
    "pivot": builders.pivot,
    "masked_paths": builders.masked_paths,
    "terminal": builders.terminal,
    "bounding_set": builders.bounding_set,
    "identity": builders.identity,
    "capabilities": builders.capabilities,
    "rlimits": builders.rlimits,
    "no_new_privs": builders.no_new_privs,
    "seccomp": builders.seccomp,
}
ALL = tuple(ORDER)


def build(spec: Spec, allowed: Iterable[str] = ALL) -> Plan:
    """The mechanisms that `spec` asks for, of those `allowed` (by name), in canonical order."""
    wanted = frozenset(allowed)
    built = (builder(spec) for name, builder in ORDER.items() if name in wanted)
    return tuple(mechanism for mechanism in built if mechanism is not None)


def namespaces(plan: Plan, spec: Spec) -> dict[str, str]:
    """The namespaces to make ("") or join (a path): those of the plan's mechanisms."""
    return {m.namespace: spec.namespaces[m.namespace] for m in plan if m.namespace}
