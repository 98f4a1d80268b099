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
        named = names.split(",") if colon else ()
        held = [directory for name in named for directory in _holders(directories, name)]
        for directory in held if colon else directories:
            below = f"{directory}/{path.strip('/')}".rstrip("/")
            if not os.path.isdir(below):
                where = f"{below}/cgroup.procs"
                what = f"adding pid of the process to {where}: no such file or directory"
                raise ConfigError(what, pointer=OPTION, hint="make it first")
            found[directory] = below
    return list(found.values())


def _holders(directories: Sequence[str], controller: str) -> list[str]:
    """Those in the hierarchy of version 1 that has the controller."""
    found = [
        directory
        for hierarchy in cgroups.hierarchies()
        for directory in directories
        if hierarchy.version == 1
        and directory.startswith(f"{hierarchy.mountpoint}/")
        and cgroups.V1_NAMES.get(controller, controller) in hierarchy.controllers
    ]
    if not found:
        hint = "leave the controllers out on version 2"
        raise ConfigError(f"unknown controller {controller}", pointer=OPTION, hint=hint)
    return found
