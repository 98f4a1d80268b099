"""Where a container's cgroup is: linux.cgroupsPath, and the options about who makes it."""

from __future__ import annotations

import os

from minirt.errors import ConfigError, HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.codec import Json
    from minirt.oci.parser import Words

CGROUPFS, SYSTEMD, DISABLED = "cgroupfs", "systemd", "disabled"
MANAGERS = (CGROUPFS, SYSTEMD, DISABLED)
POINTER = "/linux/cgroupsPath"


def manager(options: Words) -> str:
    """Who makes cgroups: --systemd-cgroup is short for --cgroup-manager systemd."""
    usual = SYSTEMD if options.on("--systemd-cgroup") else CGROUPFS
    name = options.text("--cgroup-manager", usual)
    if name not in MANAGERS:
        known = ", ".join(MANAGERS)
        raise ConfigError(f'"{name}" is not one of {known}', pointer="--cgroup-manager")
    return name


def placed(document: dict[str, Json], container_id: str, name: str) -> dict[str, Json]:
    """`document` with a path for the cgroup, or without any cgroup.

    The specification leaves the absent path to us: /minirt/ID, and for an ordinary user the same
    below the own cgroup, where something may have been delegated.
    """
    given = document.get("linux") or {}
    if not isinstance(given, dict):  # the reader of the specification says what is wrong
        return document
    linux = dict(given)
    path = linux.get("cgroupsPath") or ""
    if name == DISABLED:
        linux["cgroupsPath"] = ""
    elif name == SYSTEMD:
        linux["cgroupsPath"] = _scope(str(path), container_id)
    elif not path:
        own = f"minirt/{container_id}"
        wanted = os.geteuid() == 0 or bool(linux.get("resources"))
        linux["cgroupsPath"] = (f"/{own}" if os.geteuid() == 0 else own) if wanted else ""
    return {**document, "linux": linux}


def _scope(path: str, container_id: str) -> str:
    if not os.path.isdir("/run/systemd/system"):
        raise HostError(
            "cannot ask systemd for a cgroup: systemd does not run here",
            hint="leave out --systemd-cgroup, or use --cgroup-manager cgroupfs",
        )
    raise HostError("systemd", hint=f"{path} {container_id}")
