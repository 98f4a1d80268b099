"""Where a container's cgroup is: linux.cgroupsPath, and the options about who makes it."""

from __future__ import annotations

import os

from minirt.errors import ConfigError, HostError
from minirt.oci.call import CGROUPFS, DISABLED, SYSTEMD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.codec import Json
    from minirt.oci.parser import Words

POINTER = "/linux/cgroupsPath"


def manager(options: Words) -> str:
    """Who makes cgroups: --systemd-cgroup is short for --cgroup-manager systemd."""
    usual = SYSTEMD if options.on("--systemd-cgroup") else CGROUPFS
    return options.text("--cgroup-manager", usual)


def placed(document: dict[str, Json], key: str, container_id: str, name: str) -> dict[str, Json]:
    """`document` with a path for the cgroup, or without any cgroup; `name` is the manager's.

    The specification leaves the absent path to us: /minirt-KEY/ID, and for an ordinary user the
    same below the own cgroup, where something may have been delegated. No other state directory
    has this `key`.
    """
    given = document.get("linux") or {}
    if not isinstance(given, dict):  # the reader of the specification says what is wrong
        return document
    linux = dict(given)
    path = str(linux.get("cgroupsPath") or "")
    if name == SYSTEMD:
        parent, unit = _unit(path, f"{container_id}-{key}")
        scope = f"{_slice(parent)}/{unit}"
        own: Json = {"slice": parent, "unit": unit, "path": scope}
        linux["cgroupsPath"] = f"{scope}/container"
        return {**document, "linux": linux, "minirt": {**_own(document), "scope": own}}
    if name == DISABLED:
        linux["cgroupsPath"] = ""
    elif not path and (os.geteuid() == 0 or linux.get("resources")):
        below = "/" if os.geteuid() == 0 else ""
        linux["cgroupsPath"] = f"{below}minirt-{key}/{container_id}"
    return {**document, "linux": linux}


def _own(document: dict[str, Json]) -> dict[str, Json]:
    own = document.get("minirt")
    return dict(own) if isinstance(own, dict) else {}


def _unit(path: str, own_name: str) -> tuple[str, str]:
    """The slice and the scope of "slice:prefix:name"."""
    from minirt.linux import systemd

    if not os.path.isdir(systemd.RUNNING):
        raise HostError(
            "cannot ask systemd for a cgroup: systemd does not run here",
            hint="leave out --systemd-cgroup, or use --cgroup-manager cgroupfs",
        )
    parts = (path or f":minirt:{own_name}").split(":")
    if len(parts) != 3 or not parts[2] or "/" in path:
        raise ConfigError(
            f'expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got '
            f'"{path}" instead',
            pointer=POINTER,
            hint="or leave out --systemd-cgroup",
        )
    parent, prefix, name = parts
    return parent or "system.slice", f"{prefix}-{name}.scope" if prefix else f"{name}.scope"


def _slice(name: str) -> str:
    from minirt.linux import systemd

    try:
        return systemd.slice_path(name)
    except ValueError:
        hint = "name it as system.slice or a-b.slice"
        raise ConfigError(f'"{name}" is no slice', pointer=POINTER, hint=hint) from None
