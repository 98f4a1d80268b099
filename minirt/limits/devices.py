"""linux.resources.devices: which devices may be made, read and written.

The rules are applied in the order in which they are listed, so the last one that fits decides.
After them come those that every container needs, as in runc.
"""

from __future__ import annotations

from minirt.errors import ConfigError
from minirt.limits.ranges import within
from minirt.reader import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from minirt.codec import Json

EVERY = -1
MOST_NUMBER = (1 << 32) - 1
# What config.json says of types: all of both kinds, or one; runc takes "u" for "c" as well.
KINDS = {"a": "bc", "b": "b", "c": "c", "u": "c", "": "bc"}
ACCESS = "rwm"


class Rule:
    """One rule: `kind` is "b" or "c"; `major` and `minor` are EVERY for any."""

    __slots__ = ("access", "allow", "kind", "major", "minor")

    def __init__(self, kind: str, major: int, minor: int, access: str, *, allow: bool) -> None:
        self.kind = kind
        self.major = major
        self.minor = minor
        self.access = access
        self.allow = allow

    def line(self) -> str:
        """As devices.allow and devices.deny of version 1 take it."""
        major, minor = ("*" if n == EVERY else str(n) for n in (self.major, self.minor))
        return f"{self.kind} {major}:{minor} {self.access}"

    def is_everything(self) -> bool:
        return self.major == self.minor == EVERY and set(self.access) == set(ACCESS)


# null, zero, full, random, urandom, tty, ptmx, and the terminals of devpts; nodes of any device
# may be made, but not opened.
ALWAYS = (
    *(Rule(kind, EVERY, EVERY, "m", allow=True) for kind in "cb"),
    *(Rule("c", 1, minor, ACCESS, allow=True) for minor in (3, 5, 7, 8, 9)),
    *(Rule("c", 5, minor, ACCESS, allow=True) for minor in (0, 2)),
    Rule("c", 136, EVERY, ACCESS, allow=True),
)


def rules(resources: Mapping[str, Json], pointer: str = "/linux/resources") -> list[Rule]:
    """All rules in order; before the first, nothing is allowed."""
    found: list[Rule] = []
    for entry in Reader(resources, pointer).objects("devices"):
        kind, access = entry.text("type"), entry.text("access") or ACCESS
        if kind not in KINDS:
            raise ConfigError(f'"{kind}" is not a, b or c', pointer=entry.where("type"))
        if set(access) - set(ACCESS):
            raise ConfigError(
                f'"{access}" is not made of r, w and m', pointer=entry.where("access")
            )
        numbers = _number(entry, "major"), _number(entry, "minor")
        allow = entry.flag("allow")
        found += [Rule(k, *numbers, access, allow=allow) for k in KINDS[kind]]
    return [*found, *ALWAYS]


def _number(entry: Reader, name: str) -> int:
    if name not in entry.value or entry.value[name] is None:
        return EVERY
    return within(entry, name, EVERY, MOST_NUMBER)


def lines(every: Iterable[Rule]) -> list[tuple[str, str]]:
    """The rules as (file, line) of version 1, first of all the one that allows nothing.

    There "everything" is a state of its own, that only the type "a" switches, and while it is
    allowed what is allowed in particular is not kept.
    """
    written = [("devices.deny", "a")]
    pending = ""
    for rule in every:
        file = "devices.allow" if rule.allow else "devices.deny"
        if rule.is_everything() and pending == f"{file} {'cb'.replace(rule.kind, '')}":
            written[-1] = (file, "a")
            pending = ""
            continue
        pending = f"{file} {rule.kind}" if rule.is_everything() else ""
        written.append((file, rule.line()))
    return written
