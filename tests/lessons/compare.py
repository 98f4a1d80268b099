"""Compare what a console block prints with what its page says, but for what may differ."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from console import Block

CUT = "..."
# What a waterfall shows but for the times: the spans in their order, and where each happened.
BAR = re.compile(
    r"^(?P<span>[│├└─ ]*\S.*?)(?P<flaw> ✗ \w+)? +(?P<side>host|container|kernel|guest) .*$"
)
# Lines about a VM that depend on the machine: emulated or not, and how long it takes.
ONLY_SOME = re.compile(
    r"minirt: (running a VM|warning: the container cannot have)|The VM was emulated|its times are"
)
VARIES = {
    "address": r"\b\d+\.\d+\.\d+\.\d+",
    "hash": r"\b[0-9a-f]{8,64}\b",
    "id": r"\b[0-9a-f]{12}\b|(?<=step\d-)[0-9a-f]{6}\b",
    "inode": r"(?<=:\[)\d+(?=\])",
    "key": r"\bmr[0-9a-f]{8}\b",
    "number": r"\b\d+(\.\d+)?",
    "pid": r"\b\d{2,}\b",
    "release": r"\b\d+\.\d+\.\d+\S*",
    "temporary": r"(?<=/tmp/tmp\.)\w{10}",
    "uuid": r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
    "vm": r"\[ *\d+\.\d+\]|VM \((emulated|KVM)\)|TCG|KVM|[\d.]+ [KMG]iB|[\d.,]+ : 1",
    "time": r"\b\d+(\.\d+)? ?(ns|µs|ms|s)\b",
}
# Any value of these is as good as another; of the rest, the same must stay the same.
ANY = ("number", "time", "vm")


def differences(block: Block, printed: Sequence[Sequence[str]]) -> list[str]:
    """How `printed` differs from the page, in words; [] when it is the same."""
    found = []
    page_names, names = Names(block.varies()), Names(block.varies())
    for one, lines in zip(block.commands, printed, strict=True):
        now = recut(one.output, lines)
        if page_names.normal(one.output) != names.normal(now):
            parts = (f"{block} $ {one.text}", "--- page", *one.output, "--- now", *now)
            found.append("\n".join(parts))
    return found


class Names:
    """Replaces what varies by names; the same value has the same name in the whole block."""

    def __init__(self, varies: Sequence[str]) -> None:
        self.varies = varies
        self.given: dict[str, str] = {}

    def normal(self, lines: Sequence[str]) -> list[str]:
        """The lines with names for what varies, and one blank for each run of them."""
        if "vm" in self.varies:
            lines = [line for line in lines if not ONLY_SOME.match(line)]
        if "waterfall" in self.varies:
            lines = [bare for line in lines if (bare := _bare_bar(line))]
        for kind in self.varies:
            if kind != "waterfall":
                lines = [re.sub(VARIES[kind], self._namer(kind), line) for line in lines]
        return [" ".join(line.split()) for line in lines]

    def _namer(self, kind: str) -> Callable[[re.Match[str]], str]:
        def name(found: re.Match[str]) -> str:
            if kind in ANY:
                return kind.upper()
            return self.given.setdefault(f"{kind} {found[0]}", f"{kind.upper()}{len(self.given)}")

        return name


def _bare_bar(line: str) -> str:
    """A line of a waterfall without times and bars; its head and legend are nothing."""
    if line.startswith(("span ", "█ host", "▓ container")):
        return ""
    bar = BAR.match(line)
    return f"{bar['span']}{bar['flaw'] or ''} {bar['side']}" if bar else line


def recut(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """`new`, cut where the page had cut `old`."""
    if CUT not in old:
        return list(new)
    head = list(old).index(CUT)
    tail = len(old) - head - 1
    return [*new[:head], CUT, *(new[-tail:] if tail else ())]
