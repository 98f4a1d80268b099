"""Spec -> plan: which mechanisms, in the one order that works.

The order is the kernel's. The user namespace first: it grants the rights for the rest. The
cgroup before its namespace, which takes the cgroup it finds as its root. Mounts before
pivot_root, masked paths after it, capabilities when nothing needs them any more, and seccomp as
the last call before execve.
"""

from __future__ import annotations

from minirt.builders import files, hooks, isolation, network, process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from minirt.mechanism import Mechanism
    from minirt.spec import Spec

    Builder = Callable[[Spec], Mechanism | None]
    Plan = tuple[Mechanism, ...]

# The canonical order: top to bottom in every phase, bottom to top in teardown.
ORDER: dict[str, Builder] = {
    "poststop": hooks.poststop,
    "user": isolation.user,
    "scope": isolation.scope,
    "cgroup": isolation.cgroup,
    "device_rules": isolation.device_rules,
    "cgroup_ns": isolation.cgroup_ns,
    "pid": isolation.pid,
    "ipc": isolation.ipc,
    "uts": isolation.uts,
    "domainname": isolation.domainname,
    "time": isolation.time,
    "loopback": network.loopback,
    "net_devices": network.net_devices,
    "bridge": network.bridge,
    "veth": network.veth,
    "nat": network.nat,
    "names": network.names,
    "etc_files": network.etc_files,
    "sources": files.sources,
    "mnt": files.mnt,
    "procfs": files.procfs,
    "sysctl": isolation.sysctl,
    "rootfs": files.rootfs,
    "overlay": files.overlay,
    "mounts": files.mounts,
    "devices": files.devices,
    "make_cwd": files.make_cwd,
    "hooks": hooks.hooks,
    "pivot": files.pivot,
    "readonly_mounts": files.readonly_mounts,
    "masked_paths": files.masked_paths,
    "terminal": process.terminal,
    "pty": process.pty,
    "console": files.console,
    "propagation": files.propagation,
    "stdio": process.stdio,
    "home": process.home,
    "oom_score": process.oom_score,
    "scheduling": process.scheduling,
    "personality": process.personality,
    "memory_policy": process.memory_policy,
    "working_directory": process.working_directory,
    "bounding_set": process.bounding_set,
    "identity": process.identity,
    "capabilities": process.capabilities,
    "rlimits": process.rlimits,
    "no_new_privs": process.no_new_privs,
    "labels": process.labels,
    "seccomp_notify": process.seccomp_notify,
    "seccomp": process.seccomp,
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
