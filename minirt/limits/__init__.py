"""OCI's linux.resources as files of a cgroup, in either version: pure translation.

translate.py  which controllers are needed, and what to write to their files
cpu.py, memory.py, block.py, others.py  one or a few members of linux.resources each
devices.py    the rules of linux.resources.devices, as both versions need them
change.py     resources that change while the container runs

The functions here import the translation only where there is something to translate.
"""

from __future__ import annotations

import os

from minirt.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from minirt.codec import Json
    from minirt.limits.ranges import Settings

POINTER = "/linux/resources"
LONGEST_NAME, LONGEST_PATH = 255, 1024  # bytes; with a mount point and a file, not PATH_MAX


def checked_path(path: str) -> str:
    """linux.cgroupsPath without detours; ConfigError if it names no cgroup of its own."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        problem = f'"{path}" names no cgroup of its own'
        hint = "write it as /minirt/NAME"
        raise ConfigError(problem, pointer="/linux/cgroupsPath", hint=hint)
    longest = max(len(os.fsencode(part)) for part in parts)
    if longest > LONGEST_NAME or len(os.fsencode(path)) > LONGEST_PATH:
        problem = f"more than {LONGEST_PATH} bytes, or a name of more than {LONGEST_NAME}"
        raise ConfigError(problem, pointer="/linux/cgroupsPath", hint="choose a shorter one")
    return ("/" if path.startswith("/") else "") + "/".join(parts)


def limited(resources: Mapping[str, Json]) -> list[str]:
    """The controllers that `resources` has limits for."""
    if not resources:
        return []
    from minirt.limits import translate

    return translate.limited(resources)


def settings(resources: Mapping[str, Json], controller: str, version: int) -> Settings:
    """The files of `controller` to write in a cgroup of this version; [] for no limit."""
    if not resources:
        return []
    from minirt.limits import translate

    return translate.settings(resources, controller, version)


def pointer(resources: Mapping[str, Json], file: str) -> str:
    """The JSON pointer to what is written to `file`."""
    from minirt.limits import translate

    return translate.pointer(resources, file)


def shown(resources: Mapping[str, Json]) -> list[str]:
    """The limits in words: ["0.5 CPUs", "64 MiB of memory", "100 processes"]."""
    from minirt.limits import translate

    return translate.shown(resources)
