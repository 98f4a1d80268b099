"""Resource limits: prlimit(2), the one call that reads and sets them, of any process."""

from __future__ import annotations

from minirt.errors import ConfigError
from minirt.linux import ffi
from minirt.linux.calls import MACHINE, NUMBERS, check

NUMBERS.update({"x86_64": {"prlimit64": 302}, "aarch64": {"prlimit64": 261}}.get(MACHINE, {}))

# The position is the number (asm-generic/resource.h, which x86 and arm share).
NAMES = (
    "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_DATA", "RLIMIT_STACK", "RLIMIT_CORE", "RLIMIT_RSS",
    "RLIMIT_NPROC", "RLIMIT_NOFILE", "RLIMIT_MEMLOCK", "RLIMIT_AS", "RLIMIT_LOCKS",
    "RLIMIT_SIGPENDING", "RLIMIT_MSGQUEUE", "RLIMIT_NICE", "RLIMIT_RTPRIO", "RLIMIT_RTTIME",
)  # fmt: skip
INFINITY = 0xFFFFFFFFFFFFFFFF


class Limit(ffi.Structure):
    """struct rlimit64 of prlimit(2)."""

    _fields_ = [("soft", ffi.c_uint64), ("hard", ffi.c_uint64)]


def number(name: str) -> int:
    """The kernel's number of "RLIMIT_NOFILE"; ConfigError for a name it does not have."""
    if name in NAMES:
        return NAMES.index(name)
    raise ConfigError(f'"{name}" is not a resource limit', hint=f"one of {', '.join(NAMES)}")


def read(resource: int, pid: int = 0) -> Limit:
    """The (soft, hard) limit of process `pid`; 0 is the caller."""
    limit = Limit()
    what = f"cannot read {NAMES[resource]}"
    check("prlimit64", pid, resource, None, limit, what=what, shown=NAMES[resource])
    return limit


def prlimit(resource: int, limit: Limit, pid: int = 0) -> None:
    """Set one limit of process `pid`; 0 is the caller. A hard limit is raised only by root."""
    name = NAMES[resource]
    shown = f"{pid}, {name}, {{{_shown(limit.soft)}, {_shown(limit.hard)}}}"
    check("prlimit64", pid, resource, limit, None, what=f"cannot set {name}", shown=shown)


def _shown(value: int) -> str:
    return "RLIM64_INFINITY" if value == INFINITY else str(value)
