"""The file tree: its root, what is mounted in it, what is hidden."""

from __future__ import annotations

import os

from minirt.errors import ConfigError
from minirt.ids import owner
from minirt.linux.mount import MS_PRIVATE, MS_SHARED, MS_SLAVE
from minirt.reader import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.filetree.mount import Mount
    from minirt.mechanism import Mechanism
    from minirt.spec import MountSpec, Spec


def sources(spec: Spec) -> Mechanism | None:
    if "mnt" not in spec.namespaces or not (spec.mounts or spec.rootfs):
        return None
    from minirt.mount_options import connected, mount_of, propagation_of

    mounts = tuple(mount_of(entry) for entry in spec.mounts if entry.fstype == "bind")
    for mount in mounts:
        _require_maps(mount, spec)
    by_host = spec.makes("user") and os.geteuid() == 0
    handed_in = tuple(m for m in mounts if by_host or m.id_mapping)
    if handed_in:
        from minirt.mechanisms.host_sources import HostSources

        return HostSources(tuple(m for m in mounts if by_host or m.id_mapping or connected(m)))
    kept = tuple(m for m in mounts if connected(m))
    root = propagation_of(_root_propagation(spec) or "private")
    heard = spec.rootfs if root and root[0] & (MS_SHARED | MS_SLAVE) else ""
    if not kept and not heard:
        return None
    from minirt.mechanisms.sources import Sources

    return Sources(kept, heard)


def _require_maps(mount: Mount, spec: Spec) -> None:
    """ConfigError for a mount whose ids shall be mapped, without the maps."""
    if bool(mount.uid_maps) != bool(mount.gid_maps):
        raise ConfigError("needs both uidMappings and gidMappings", pointer=mount.pointer)
    if mount.id_mapping and not mount.uid_maps and "user" not in spec.namespaces:
        raise ConfigError(
            f"{mount.id_mapping} without a user namespace, and without maps of its own",
            pointer=mount.pointer,
            hint="give it uidMappings and gidMappings",
        )


def mnt(spec: Spec) -> Mechanism | None:
    if "mnt" not in spec.namespaces:
        return None
    from minirt.mechanisms.mnt import Mnt

    return Mnt()


def rootfs(spec: Spec) -> Mechanism | None:
    if spec.layers or not spec.rootfs:
        return None
    if "mnt" not in spec.namespaces:
        from minirt.mechanisms.host_rootfs import HostRootfs

        return HostRootfs(spec.rootfs)
    from minirt.mechanisms.rootfs import Rootfs

    return Rootfs(spec.rootfs)


def overlay(spec: Spec) -> Mechanism | None:
    if not spec.layers:
        return None
    if spec.makes("user") and os.geteuid() == 0:
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

    cgroup_ns = spec.makes("cgroup")
    label = Reader(spec.raw).object("linux").text("mountLabel")
    if label and not _selinux_enabled():
        label = ""
    made = (mount_of(entry, cgroup_ns=cgroup_ns, label=label) for entry in spec.mounts)
    return Mounts(tuple(made))


def devices(spec: Spec) -> Mechanism | None:
    if not spec.has_root:
        return None
    from minirt.filetree import nodes

    if _dev_is_bound(spec):
        return None  # all of the host's /dev, or what the engine has made
    more = nodes.nodes_of(Reader(spec.raw).object("linux"))
    on_dev = _on_dev(spec)
    nodev = "nodev" in on_dev.options if on_dev else bool(spec.layers)
    if nodev and not more:
        from minirt.mechanisms.devices import Devices

        return Devices()
    from minirt.mechanisms.device_nodes import DeviceNodes

    # One that is asked for by name comes in place of the usual one.
    chosen = {node.path: node for node in (*nodes.default_nodes(), *more)}
    return DeviceNodes(list(chosen.values()), bound=nodev)


def _on_dev(spec: Spec) -> MountSpec | None:
    """The entry whose mount is /dev in the end."""
    found = [m for m in spec.mounts if m.destination.rstrip("/") == "/dev"]
    return found[-1] if found else None


def _dev_is_bound(spec: Spec) -> bool:
    on_dev = _on_dev(spec)
    return on_dev is not None and on_dev.fstype == "bind"


def make_cwd(spec: Spec) -> Mechanism | None:
    if not spec.has_root or spec.process.cwd == "/":
        return None
    from minirt.mechanisms.make_cwd import MakeCwd

    return MakeCwd(spec.process.cwd)


def console(spec: Spec) -> Mechanism | None:
    if not spec.process.terminal or not spec.has_root or _dev_is_bound(spec):
        return None
    from minirt.mechanisms.console import Console

    return Console()


def procfs(spec: Spec) -> Mechanism | None:
    if not spec.sysctls:
        return None
    from minirt.mechanisms.procfs import Procfs

    return Procfs()


def pivot(spec: Spec) -> Mechanism | None:
    if not spec.has_root:
        return None
    no_pivot = Reader(spec.raw).object("minirt").flag("noPivot")
    if no_pivot or "mnt" not in spec.namespaces:
        from minirt.mechanisms.chroot import Chroot

        return Chroot(moved="mnt" in spec.namespaces, readonly=spec.rootfs_readonly)
    from minirt.mechanisms.pivot import Pivot

    return Pivot(readonly=spec.rootfs_readonly)


def readonly_mounts(spec: Spec) -> Mechanism | None:
    on_dev = _on_dev(spec)
    if on_dev is None or on_dev.fstype != "tmpfs" or "ro" not in on_dev.options:
        return None
    from minirt.mechanisms.readonly_mounts import ReadonlyMounts

    return ReadonlyMounts((on_dev.destination,))


def propagation(spec: Spec) -> Mechanism | None:
    asked = _root_propagation(spec)
    if not asked or not spec.has_root:
        return None
    from minirt.mount_options import propagation_of

    found = propagation_of(asked)
    if found is None:
        raise ConfigError(
            f'"{asked}" is not a propagation',
            pointer="/linux/rootfsPropagation",
            hint="use private, slave, shared or unbindable, or one of them with an r",
        )
    flag, recursive = found
    if flag & (MS_PRIVATE | MS_SLAVE):
        return None  # it is so already
    from minirt.mechanisms.propagation import Propagation

    return Propagation(flag, recursive=recursive)


def _root_propagation(spec: Spec) -> str:
    return Reader(spec.raw).object("linux").text("rootfsPropagation")


def masked_paths(spec: Spec) -> Mechanism | None:
    if not spec.masked_paths and not spec.readonly_paths:
        return None
    from minirt.mechanisms.masked_paths import MaskedPaths

    return MaskedPaths(spec.masked_paths, spec.readonly_paths)


def _selinux_enabled() -> bool:
    from minirt.linux.statfs import selinux_enabled

    return selinux_enabled()
