"""`exec --cgroup [CONTROLLER,...:]PATH`: below a container's cgroup, one that somebody has made."""

from __future__ import annotations

import os

from minirt.errors import ConfigError
from minirt.linux import cgroups

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

OPTION = "--cgroup"


def chosen(directories: Sequence[str], wanted: Iterable[str]) -> list[str]:
    """`directories`, those that `wanted` names replaced by what lies below them.

    Without controllers it is meant in every hierarchy.
    """
    found = {directory: directory for directory in directories}
    for text in wanted:
        names, colon, path = text.rpartition(":")
        if ".." in path.split("/"):
            raise ConfigError(f"{path} is not a sub cgroup path", pointer=OPTION)
        hit = [d for d in directories if not colon or _has(d, names.split(","))]
        if not hit:
            hint = "leave the controllers out on version 2"
            raise ConfigError(f"unknown controller {names}", pointer=OPTION, hint=hint)
        for directory in hit:
            below = f"{directory}/{path.strip('/')}".rstrip("/")
            if not os.path.isdir(below):
                where = f"{below}/cgroup.procs"
                what = f"adding pid of the process to {where}: no such file or directory"
                raise ConfigError(what, pointer=OPTION, hint="make it first")
            found[directory] = below
    return list(found.values())


def _has(directory: str, controllers: Sequence[str]) -> bool:
    """Whether all of these share the hierarchy that the directory is in."""
    names = {v1: v2 for v2, v1 in cgroups.V1_NAMES.items()}
    wanted = {names.get(name, name) for name in controllers}
    return any(
        hierarchy.version == 1
        and directory.startswith(f"{hierarchy.mountpoint}/")
        and wanted <= {names.get(name, name) for name in hierarchy.controllers}
        for hierarchy in cgroups.hierarchies()
    )
