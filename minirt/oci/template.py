"""A config.json to begin with: the same as runc's, which other people's scripts edit."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.codec import Json

    Object = dict[str, Json]

CAPABILITIES = ("CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE")
SAFE = ("nosuid", "noexec", "nodev")
MASKED = (
    "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
    "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi",
)  # fmt: skip
READONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
NAMESPACES = ("pid", "network", "ipc", "uts", "mount")


def configuration(version: str, *, rootless: bool) -> Object:
    """The document; `rootless` is for a user without rights on the host."""
    return {
        "ociVersion": version,
        "process": {
            "terminal": True,
            "user": {"uid": 0, "gid": 0},
            "args": ["sh"],
            "env": [
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "TERM=xterm",
            ],
            "cwd": "/",
            "capabilities": {
                name: list(CAPABILITIES) for name in ("bounding", "effective", "permitted")
            },
            "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
            "noNewPrivileges": True,
        },
        "root": {"path": "rootfs", "readonly": True},
        "hostname": "minirt",
        "mounts": _mounts(rootless=rootless),
        "linux": _linux(rootless=rootless),
    }


def _mounts(*, rootless: bool) -> list[Json]:
    pts = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]
    found: list[Json] = [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        _mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
        _mount("/dev/pts", "devpts", "devpts", *pts, *(() if rootless else ("gid=5",))),
        _mount("/dev/shm", "tmpfs", "shm", *SAFE, "mode=1777", "size=65536k"),  # noqa: S108
        _mount("/dev/mqueue", "mqueue", "mqueue", *SAFE),
        _mount("/sys", "none", "/sys", "rbind", *SAFE, "ro")
        if rootless
        else _mount("/sys", "sysfs", "sysfs", *SAFE, "ro"),
        _mount("/sys/fs/cgroup", "cgroup", "cgroup", *SAFE, "relatime", "ro"),
    ]
    return found


def _mount(destination: str, fstype: str, source: str, *options: str) -> Object:
    return {
        "destination": destination,
        "type": fstype,
        "source": source,
        "options": list(options),
    }


def _linux(*, rootless: bool) -> Object:
    kinds = (*(k for k in NAMESPACES if k != "network"), "user") if rootless else NAMESPACES
    return {
        **(_id_maps() if rootless else {"resources": {"devices": [_NOTHING]}}),
        "namespaces": [{"type": kind} for kind in kinds],
        "maskedPaths": list(MASKED),
        "readonlyPaths": list(READONLY),
    }


_NOTHING: Json = {"allow": False, "access": "rwm"}


def _id_maps() -> Object:
    """Root inside is the caller outside."""
    return {
        "uidMappings": [{"containerID": 0, "hostID": os.geteuid(), "size": 1}],
        "gidMappings": [{"containerID": 0, "hostID": os.getegid(), "size": 1}],
    }
