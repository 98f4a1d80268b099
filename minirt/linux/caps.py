"""Capabilities: root's power in 41 pieces (capabilities(7)).

A set of them is a bit mask here, bit n for capability number n, as in /proc/PID/status; names
appear only at the edges. The numbers are the same on every architecture.
"""

from __future__ import annotations

import errno

from minirt.errors import ConfigError, KernelError
from minirt.linux import ffi
from minirt.linux.calls import check, invoke
from minirt.linux.process import PR_CAP_AMBIENT, PR_CAPBSET_DROP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# The position is the number.
NAMES = (
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID",
    "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK",
    "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG",
    "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
)  # fmt: skip

# What docker leaves root in a container: enough to install packages, change users and serve
# on port 80; not enough to mount, to configure the network or to trace others.
DEFAULT = (
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
    "CAP_SETUID", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SYS_CHROOT",
    "CAP_MKNOD", "CAP_AUDIT_WRITE", "CAP_SETFCAP",
)  # fmt: skip

ALL = "ALL"
SYS_ADMIN = 1 << NAMES.index("CAP_SYS_ADMIN")
VERSION_3 = 0x20080522
PR_CAP_AMBIENT_RAISE, PR_CAP_AMBIENT_CLEAR_ALL = 2, 4


class Header(ffi.Structure):
    """struct __user_cap_header_struct of capget(2); pid 0 is the caller."""

    _fields_ = [("version", ffi.c_uint32), ("pid", ffi.c_int)]


class Data(ffi.Structure):
    """Two struct __user_cap_data_struct: capabilities 0 to 31, then 32 to 63."""

    _fields_ = [
        (f"{name}_{half}", ffi.c_uint32)
        for half in ("low", "high")
        for name in ("effective", "permitted", "inheritable")
    ]


def mask(names: Iterable[str]) -> int:
    """The set of `names`; ConfigError for one that is not a capability."""
    bits = 0
    for name in names:
        bits |= 1 << NAMES.index(parse(name, ""))
    return bits


def names(bits: int) -> tuple[str, ...]:
    """The names in a set, in the order of their numbers."""
    return tuple(name for number, name in enumerate(NAMES) if bits >> number & 1)


def capget() -> tuple[int, int, int]:
    """This process' (effective, permitted, inheritable) sets (capget(2))."""
    data = Data()
    what = "cannot read the capabilities of this process"
    check("capget", Header(VERSION_3, 0), data, what=what)
    return (
        data.effective_high << 32 | data.effective_low,
        data.permitted_high << 32 | data.permitted_low,
        data.inheritable_high << 32 | data.inheritable_low,
    )


def capset(effective: int, permitted: int, inheritable: int) -> None:
    """Set this process' three sets (capset(2)); permitted can only shrink."""
    sets = (effective, permitted, inheritable)
    halves = [half >> shift & 0xFFFFFFFF for shift in (0, 32) for half in sets]
    result = invoke("capset", Header(VERSION_3, 0), Data(*halves))
    if result < 0:
        labels = ("effective", "permitted", "inheritable")
        shown = (
            f"{label}={'|'.join(names(b)) or 0}" for label, b in zip(labels, sets, strict=True)
        )
        what = "cannot set the container's capabilities"
        raise KernelError(what, call=f"capset({', '.join(shown)})", errno=-result)


def drop_bounding(keep: int) -> None:
    """Take everything but `keep` out of the bounding set, for good (PR_CAPBSET_DROP).

    The kernel may know capabilities that this file does not: they go as well. It answers
    EINVAL to the first number that it does not know.
    """
    for number in range(64):
        if keep >> number & 1:
            continue
        result = invoke("prctl", PR_CAPBSET_DROP, number, 0, 0, 0)
        if result == -errno.EINVAL:
            return
        if result < 0:
            raise KernelError(
                "cannot shrink the bounding set",
                call=f"prctl(PR_CAPBSET_DROP, {_name(number)})",
                errno=-result,
            )


def set_ambient(bits: int) -> None:
    """Make the ambient set exactly `bits`, each permitted and inheritable already."""
    what = "cannot set the ambient capabilities"
    check("prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0, what=what, shown="clear")
    for number in range(bits.bit_length()):
        if bits >> number & 1:
            shown = f"PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, {_name(number)}"
            raise_one = (PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0)
            check("prctl", *raise_one, what=what, shown=shown)


def of_process(pid: int | str) -> Mapping[str, int]:
    """The sets of a process by their names in /proc/PID/status: CapInh, CapPrm, CapEff..."""
    with open(f"/proc/{pid}/status", "rb") as status:
        lines = [line.split() for line in status if line.startswith(b"Cap")]
    return {label.decode().rstrip(":"): int(bits, 16) for label, bits in lines}


def parse(name: str, option: str) -> str:
    """The kernel's spelling of a capability: "net_admin" is CAP_NET_ADMIN.

    ConfigError names `option` and the nearest names that exist.
    """
    full = name.upper().removeprefix("CAP_")
    if f"CAP_{full}" in NAMES:
        return f"CAP_{full}"
    # Only now: difflib costs more to import than the whole of this file.
    from difflib import get_close_matches

    near = get_close_matches(f"CAP_{full}", NAMES, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else "capabilities(7) lists them"
    raise ConfigError(f'"{name}" is not a capability', pointer=option, hint=hint)


def kept(add: Iterable[str], drop: Iterable[str]) -> tuple[str, ...]:
    """What a container keeps: docker's reading of --cap-add and --cap-drop.

    The default set, less `drop`, and `add` on top. ALL in `add` starts from all of them; ALL
    in `drop` from none.
    """
    adding, dropping = _choice(add, "--cap-add"), _choice(drop, "--cap-drop")
    if ALL in adding and ALL in dropping:
        hint = "add ALL and drop some, or drop ALL and add some"
        raise ConfigError("ALL cannot be added and dropped", pointer="--cap-drop", hint=hint)
    if ALL in adding:
        return tuple(name for name in NAMES if name not in dropping)
    base = set() if ALL in dropping else set(DEFAULT) - dropping
    return tuple(name for name in NAMES if name in base | adding)


def asked(add: Iterable[str]) -> tuple[str, ...]:
    """Those of --cap-add that were named one by one, not by ALL."""
    return tuple(sorted(_choice(add, "--cap-add") - {ALL}))


def _choice(names: Iterable[str], option: str) -> set[str]:
    return {ALL if name.upper() == ALL else parse(name, option) for name in names}


def _name(number: int) -> str:
    return NAMES[number] if number < len(NAMES) else str(number)


def setpriv(names: Iterable[str]) -> str:
    """A set as setpriv(1) writes it: "-all,+chown,+kill"."""
    return ",".join(["-all", *(f"+{name.removeprefix('CAP_').lower()}" for name in names)])
