"""The file tree: its root, what is mounted in it, what is hidden."""

from __future__ import annotations

import os

from minirt.ids import owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.mechanism import Mechanism
    from minirt.spec import Spec


def mnt(spec: Spec) -> Mechanism | None:
    if "mnt" not in spec.namespaces:
        return None
    from minirt.mechanisms.mnt import Mnt

    return Mnt()


def rootfs(spec: Spec) -> Mechanism | None:
    if spec.layers or not spec.rootfs:
        return None
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

    return Mounts(tuple(mount_of(entry) for entry in spec.mounts))


def devices(spec: Spec) -> Mechanism | None:
    if not spec.has_root:
        return None
    from minirt.mechanisms.devices import Devices

    return Devices()


def make_cwd(spec: Spec) -> Mechanism | None:
    if not spec.has_root or spec.process.cwd == "/":
        return None
    from minirt.mechanisms.make_cwd import MakeCwd

    return MakeCwd(spec.process.cwd)


def pivot(spec: Spec) -> Mechanism | None:
    if not spec.has_root:
        return None
    from minirt.mechanisms.pivot import Pivot

    return Pivot(readonly=spec.rootfs_readonly)


def masked_paths(spec: Spec) -> Mechanism | None:
    if not spec.masked_paths and not spec.readonly_paths:
        return None
    from minirt.mechanisms.masked_paths import MaskedPaths

    return MaskedPaths(spec.masked_paths, spec.readonly_paths)
