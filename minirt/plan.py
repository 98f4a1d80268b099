"""Spec -> plan: which mechanisms, in the one order that works.

The order is the kernel's. The user namespace first: it grants the rights for the rest. The
cgroup before its namespace, which takes the cgroup it finds as its root. Mounts before
pivot_root, masked paths after it, capabilities when nothing needs them any more, and seccomp as
the last call before execve.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from minirt.mechanism import Mechanism
    from minirt.spec import Spec

    Builder = Callable[[Spec], Mechanism | None]
    Plan = tuple[Mechanism, ...]

# The canonical order: top to bottom in every phase, bottom to top in teardown. Each mechanism with
# the module of `builders` that has a function of its name, imported when one of them is wanted.
ORDER = {
    "poststop": "hooks",
    "user": "isolation",
    "scope": "isolation",
    "cgroup": "isolation",
    "device_rules": "isolation",
    "cgroup_ns": "isolation",
    "pid": "isolation",
    "ipc": "isolation",
    "uts": "isolation",
    "domainname": "isolation",
    "time": "isolation",
    "loopback": "network",
    "net_devices": "network",
    "bridge": "network",
    "veth": "network",
    "nat": "network",
    "names": "network",
    "etc_files": "network",
    "sources": "files",
    "mnt": "files",
    "procfs": "files",
    "sysctl": "isolation",
    "rootfs": "files",
    "overlay": "files",
    "mounts": "files",
    "devices": "files",
    "make_cwd": "files",
    "hooks": "hooks",
    "pivot": "files",
    "readonly_mounts": "files",
    "masked_paths": "files",
    "terminal": "process",
    "pty": "process",
    "console": "files",
    "propagation": "files",
    "stdio": "process",
    "home": "process",
    "oom_score": "process",
    "scheduling": "process",
    "personality": "process",
    "memory_policy": "process",
    "working_directory": "process",
    "bounding_set": "process",
    "identity": "process",
    "capabilities": "process",
    "rlimits": "process",
    "no_new_privs": "process",
    "labels": "process",
    "seccomp_notify": "process",
    "seccomp": "process",
}
ALL = tuple(ORDER)


def build(spec: Spec, allowed: Iterable[str] = ALL) -> Plan:
    """The mechanisms that `spec` asks for, of those `allowed` (by name), in canonical order."""
    wanted = frozenset(allowed)
    built = (builder(name)(spec) for name in ORDER if name in wanted)
    return tuple(mechanism for mechanism in built if mechanism is not None)


def builder(name: str) -> Builder:
    """The function that makes the mechanism of this name, where a configuration asks for it."""
    module = f"minirt.builders.{ORDER[name]}"
    __import__(module)
    found: Builder = getattr(sys.modules[module], name)
    return found


def namespaces(plan: Plan, spec: Spec) -> dict[str, str]:
    """The namespaces to make ("") or join (a path): those of the plan's mechanisms."""
    return {m.namespace: spec.namespaces[m.namespace] for m in plan if m.namespace}
