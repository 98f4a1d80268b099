"""The kinds of report, one for each suite: what a page asks, and what answers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench import calls, goals
from bench.cells import OCI
from bench.report import claims
from bench.report.claims import Claim, Verdict
from bench.table import headline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.cells import Cells
    from bench.goals import Judged
    from bench.table import Table

# A sign beside each word, for who cannot tell the colours.
SIGNS = {
    claims.HELD: "✓", claims.PARTLY: "◐", claims.REFUTED: "✗", claims.OPEN: "?",
    claims.UNMEASURED: "∅", claims.EMULATED: "∅",
    goals.REACHED: "✓", goals.LIKELY: "◐", goals.UNLIKELY: "?", goals.MISSED: "✗",
}  # fmt: skip
# The style sheet knows these four; what was not measured has no colour.
STYLES = {
    claims.HELD: "held", claims.PARTLY: "in-part", claims.REFUTED: "refuted", claims.OPEN: "open",
    goals.REACHED: "held", goals.LIKELY: "in-part", goals.UNLIKELY: "open",
    goals.MISSED: "refuted",
}  # fmt: skip


@dataclass(frozen=True)
class Kind:
    title: str
    asks: str  # the heading of the verdicts
    verdicts: Callable[[Cells], Sequence[Verdict]]
    tables: Callable[[Cells], Sequence[Table]]


def of(cells: Cells) -> Kind:
    return RUNTIMES if cells.suite() == OCI else CONTAINERS


def _verdict(judged: Judged) -> Verdict:
    goal = judged.goal
    return Verdict(Claim(goal.name, goal.says, ()), judged.word, "", [judged.figure])


CONTAINERS = Kind(
    "Containers against virtual machines",
    "What everyone says, and this machine",
    claims.verdicts,
    lambda cells: [headline(cells)],
)
RUNTIMES = Kind(
    "minirt-oci beside runc and crun",
    "The goals, and this machine",
    lambda cells: [_verdict(each) for each in goals.judge(cells)],
    calls.tables,
)
