"""`linux.seccomp`: how the filter is loaded, and who answers for calls.

What it says of calls is read when it is compiled (minirt/seccomp/compiler.py).
"""

from __future__ import annotations

from minirt.errors import ConfigError
from minirt.linux.seccomp import FILTER_FLAGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.reader import Reader

ASKED = "SCMP_ACT_NOTIFY"


def filter_flags(seccomp: Reader) -> int:
    """`flags` as those of seccomp(2)."""
    found = 0
    for index, name in enumerate(seccomp.texts("flags")):
        if name not in FILTER_FLAGS:
            known = ", ".join(FILTER_FLAGS)
            pointer = f"{seccomp.where('flags')}/{index}"
            raise ConfigError(f'"{name}" is not one of {known}', pointer=pointer)
        found |= FILTER_FLAGS[name]
    return found


def listener(seccomp: Reader) -> tuple[str, str] | None:
    """(socket of whoever answers, what it is told); None where no call is to be answered."""
    path, metadata = seccomp.text("listenerPath"), seccomp.text("listenerMetadata")
    if metadata and not path:
        what = "is for a listener, and there is none"
        hint = "set listenerPath as well"
        raise ConfigError(what, pointer=seccomp.where("listenerMetadata"), hint=hint)
    actions = [seccomp.text("defaultAction")]
    actions += [rule.text("action") for rule in seccomp.objects("syscalls")]
    if ASKED not in actions:
        return None
    if not path:
        what = f"is missing: nobody could answer the calls with the action {ASKED}"
        hint = "name the socket of a seccomp agent, or choose another action"
        raise ConfigError(what, pointer=seccomp.where("listenerPath"), hint=hint)
    return path, metadata
