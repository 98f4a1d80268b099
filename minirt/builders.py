"""One function per mechanism: what of a Spec it takes; None where the spec does not ask for it.

Each imports its mechanism only then: what is not in a plan costs nothing, not even an import.
"""

from __future__ import annotations

import os

from minirt.ids import owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.mechanism import Mechanism
    from minirt.spec import Spec


def user(spec: Spec) -> Mechanism | None:
    if "user" not in spec.namespaces:
        return None
    from minirt.mechanisms.user import User

    return User(spec.uid_maps, spec.gid_maps)


def cgroup(spec: Spec) -> Mechanism | None:
    if not spec.cgroups_path:
        return None
    from minirt.mechanisms.cgroup import Cgroup

    return Cgroup(spec.cgroups_path, spec.cgroup_resources)


def cgroup_ns(spec: Spec) -> Mechanism | None:
    if "cgroup" not in spec.namespaces:
        return None
    from minirt.mechanisms.cgroup_ns import CgroupNamespace

    return CgroupNamespace(joined=not _new(spec, "cgroup"))


def pid(spec: Spec) -> Mechanism | None:
    if "pid" not in spec.namespaces:
        return None
    from minirt.mechanisms.pid import Pid

    return Pid()


def ipc(spec: Spec) -> Mechanism | None:
    if "ipc" not in spec.namespaces:
        return None
    from minirt.mechanisms.ipc import Ipc

    return Ipc()


def uts(spec: Spec) -> Mechanism | None:
    if "uts" not in spec.namespaces:
        return None
    from minirt.mechanisms.uts import Uts

    return Uts(spec.hostname)


def loopback(spec: Spec) -> Mechanism | None:
    if "net" not in spec.namespaces:
        return None
    from minirt.mechanisms.loopback import Loopback

    return Loopback()


def bridge(spec: Spec) -> Mechanism | None:
    if spec.network.mode != "bridge":
        return None
    from minirt.mechanisms.bridge import Bridge
    from minirt.networks.network import Network

    return Bridge(Network())


def veth(spec: Spec) -> Mechanism | None:
    if spec.network.mode != "bridge":
        return None
    from minirt.mechanisms.veth import Veth
    from minirt.networks.network import Network

    return Veth(Network())


def nat(spec: Spec) -> Mechanism | None:
    if spec.network.mode != "bridge":
        return None
    from minirt.mechanisms.nat import Nat
    from minirt.networks.network import Network

    return Nat(Network(), spec.network.publish)


def names(spec: Spec) -> Mechanism | None:
    if spec.network.mode != "bridge":
        return None
    from minirt.mechanisms.names import Names
    from minirt.networks.network import Network

    return Names(Network(), spec.hostname)


def etc_files(spec: Spec) -> Mechanism | None:
    if not spec.network.mode:
        return None
    from minirt.mechanisms.etc_files import EtcFiles

    return EtcFiles(spec.hostname, spec.network.mode)


def mnt(spec: Spec) -> Mechanism | None:
    if "mnt" not in spec.namespaces:
        return None
    from minirt.mechanisms.mnt import Mnt

    return Mnt()


def overlay(spec: Spec) -> Mechanism | None:
    if not spec.layers:
        return None
    if _new(spec, "user") and os.geteuid() == 0:
        from minirt.mechanisms.mapped_overlay import MappedOverlay

        return MappedOverlay(spec.layers, owner(spec.uid_maps, spec.gid_maps))
    from minirt.mechanisms.overlay import Overlay

    # In a user namespace overlayfs may not write trusted.* attributes.
    options = ("userxattr",) if "user" in spec.namespaces else ()
    return Overlay(spec.layers, owner(spec.uid_maps, spec.gid_maps), options)


def mounts(spec: Spec) -> Mechanism | None:
    if not spec.mounts:
        return None
    from minirt.mechanisms.mounts import Mounts
    from minirt.mount_options import mount_of

    return Mounts(tuple(mount_of(entry) for entry in spec.mounts))


def devices(spec: Spec) -> Mechanism | None:
    if not spec.layers:
        return None
    from minirt.mechanisms.devices import Devices

    return Devices()


def hooks(spec: Spec) -> Mechanism | None:
    if not any(spec.hooks.values()):
        return None
    from minirt.mechanisms.hooks import Hooks

    return Hooks(spec.hooks)


def pivot(spec: Spec) -> Mechanism | None:
    if not spec.layers:
        return None
    from minirt.mechanisms.pivot import Pivot

    return Pivot(readonly=spec.rootfs_readonly)


def masked_paths(spec: Spec) -> Mechanism | None:
    if not spec.masked_paths and not spec.readonly_paths:
        return None
    from minirt.mechanisms.masked_paths import MaskedPaths

    return MaskedPaths(spec.masked_paths, spec.readonly_paths)


def terminal(spec: Spec) -> Mechanism | None:
    if not spec.process.terminal:
        return None
    from minirt.mechanisms.terminal import Terminal

    return Terminal(spec.process.uid)


def bounding_set(spec: Spec) -> Mechanism:
    from minirt.mechanisms.bounding_set import BoundingSet

    # A configuration without capabilities asks for none, not for all of the runtime's.
    return BoundingSet(spec.process.capabilities["bounding"], spec.required_capabilities)


def identity(spec: Spec) -> Mechanism:
    from minirt.mechanisms.identity import Identity

    who = spec.process
    return Identity(who.uid, who.gid, who.groups, who.umask)


def capabilities(spec: Spec) -> Mechanism:
    from minirt.mechanisms.capabilities import Capabilities

    return Capabilities(**spec.process.capabilities)


def rlimits(spec: Spec) -> Mechanism | None:
    if not spec.process.rlimits:
        return None
    from minirt.mechanisms.rlimits import Rlimits

    return Rlimits(spec.process.rlimits)


def no_new_privs(spec: Spec) -> Mechanism | None:
    if not spec.process.no_new_privs:
        return None
    from minirt.mechanisms.no_new_privs import NoNewPrivs

    return NoNewPrivs()


def seccomp(spec: Spec) -> Mechanism | None:
    if not spec.seccomp and not spec.default_seccomp:
        return None
    from minirt.host import cache
    from minirt.mechanisms.seccomp import Seccomp
    from minirt.seccomp import cache as seccomp_cache

    def compiled() -> bytes:
        directory = f"{cache.directory()}/seccomp"
        if spec.seccomp:
            return seccomp_cache.program(spec.seccomp, directory)
        kept = spec.process.capabilities["bounding"]
        return seccomp_cache.default_program(kept, directory)

    return Seccomp(compiled, "configured" if spec.seccomp else "default")


def _new(spec: Spec, namespace: str) -> bool:
    return spec.namespaces.get(namespace) == ""
