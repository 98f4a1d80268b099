"""Facts about this machine that decide what is possible on it."""

from __future__ import annotations

import os

from minirt.linux import mountinfo
from minirt.linux.namespaces import inode

CAP_SYS_ADMIN = 21
# What the container engines leave in the root of their containers.
MARKS = {"/.dockerenv": "docker", "/run/.containerenv": "podman"}
# The first namespaces of a kernel have fixed numbers (include/linux/proc_ns.h).
INITIAL = {"pid": 0xEFFFFFFC, "uts": 0xEFFFFFFE, "ipc": 0xEFFFFFFF}
SYSCTLS = {
    "apparmor": "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    "clone": "/proc/sys/kernel/unprivileged_userns_clone",
    "maximum": "/proc/sys/user/max_user_namespaces",
}


class Facts:
    """What was found.

    wsl        0 outside Windows, else the version of WSL
    container  the engine whose container this is; "" for none
    chroot     the root directory is not a mount point: pivot_root(2) cannot leave it
    cgroup     "v2", "v1", "hybrid" or "none"
    admin      CAP_SYS_ADMIN is effective
    sysctls    what the kernel says about user namespaces; absent files are absent
    """

    __slots__ = (
        "admin", "cgroup", "chroot", "container", "distribution", "kernel", "machine", "root",
        "sysctls", "wsl",
    )  # fmt: skip

    def __init__(self) -> None:
        system = os.uname()
        self.kernel = system.release
        self.machine = system.machine
        self.distribution = _distribution()
        self.root = os.geteuid() == 0
        self.admin = bool(_effective_capabilities() & (1 << CAP_SYS_ADMIN))
        self.wsl = wsl_version(system.release)
        self.container = _container()
        table = mountinfo.mounts() if os.path.exists("/proc/self/mountinfo") else []
        self.chroot = all(mount.mountpoint != "/" for mount in table)
        self.cgroup = cgroup_mode(table)
        self.sysctls = {name: _text(path) for name, path in SYSCTLS.items() if _text(path)}

    def describe(self) -> str:
        """One line for a person."""
        parts = [f"Linux {self.kernel} on {self.machine}", self.distribution]
        if self.wsl:
            parts.append(f"WSL{self.wsl}")
        if self.container:
            parts.append(f"inside a {self.container} container")
        if self.chroot:
            parts.append("in a plain chroot")
        parts.append({"none": "no cgroup mount"}.get(self.cgroup, f"cgroup {self.cgroup}"))
        parts.append("root" if self.root else "ordinary user")
        if self.root and not self.admin:
            parts.append("without CAP_SYS_ADMIN")
        return ", ".join(part for part in parts if part)


def wsl_version(release: str) -> int:
    """Which WSL a kernel release names: 4.4.0-19041-Microsoft is 1, …-microsoft-standard-WSL2 2."""
    if "microsoft" not in release.lower():
        return 0
    return 1 if "-Microsoft" in release else 2


def cgroup_mode(table: list[mountinfo.Mount]) -> str:
    """Which cgroup version can be used: by what is mounted, since any path can be a lie."""
    two = any(mount.fstype == "cgroup2" for mount in table)
    one = any(mount.fstype == "cgroup" and _has_controller(mount) for mount in table)
    return {(True, True): "hybrid", (True, False): "v2", (False, True): "v1"}.get(
        (two, one), "none"
    )


def _has_controller(mount: mountinfo.Mount) -> bool:
    return not any(option.startswith("name=") for option in mount.super_options)


def _distribution() -> str:
    for line in _text("/etc/os-release").splitlines():
        name, _, value = line.partition("=")
        if name == "PRETTY_NAME":
            return value.strip('"')
    return ""


def _container() -> str:
    if _in_first_namespaces():
        return ""  # a mark alone proves nothing: a machine's disk can be made from an image
    for path, engine in MARKS.items():
        if os.path.exists(path):
            return engine
    # systemd-nspawn, lxc and others tell pid 1, which only root may ask.
    for entry in _text("/proc/1/environ").split("\0"):
        name, _, value = entry.partition("=")
        if name == "container":
            return value
    return _text("/run/systemd/container")


def _in_first_namespaces() -> bool:
    try:
        return all(inode("self", kind) == number for kind, number in INITIAL.items())
    except OSError:
        return True  # no /proc: then nothing is known


def _effective_capabilities() -> int:
    for line in _text("/proc/self/status").splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16)
    return 0


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""
