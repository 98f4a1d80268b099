"""What minirt-oci should reach beside other runtimes, and whether a results file shows it.

A goal is the most that a median may be: of a runtime's in the same rounds, of its own without the
crowd, or of bytes. The whole interval decides; where it holds the bound, the median alone does,
and that is no certainty.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench import stats, units
from bench.words import setting_text

if TYPE_CHECKING:
    from bench.cells import Cells
    from bench.samples import Setting
    from bench.stats import Interval, Series

OURS = "minirt-oci"
REACHED, LIKELY, UNLIKELY, MISSED, UNMEASURED = (
    "reached", "reached, not for certain", "missed, not for certain", "missed", "not measured",
)  # fmt: skip
GAP: Setting = {"gap_s": 0.06}
CROWD = "oci-crowd"


@dataclass(frozen=True)
class Goal:
    """`beside` is whose median `most` is a share of: a runtime's; "" for none."""

    name: str
    metric: str
    most: float
    beside: str = ""
    wanted: Setting = field(default_factory=dict)

    @property
    def says(self) -> str:
        if self.metric == CROWD:
            return f"no slower: at most {self.most:g} of its time alone"
        if not self.beside:
            return f"at most {self.most / 1e6:g} MB ({units.quantity(self.most, 'bytes')})"
        share = "" if self.most == 1 else f"{self.most:g} of "
        return f"at most {share}{self.beside}'s time"


GOALS = (
    Goal("run beside runc", "oci-run", 0.6, "runc", GAP),
    Goal("run beside crun", "oci-run", 1.0, "crun", GAP),
    Goal("create, start and delete beside runc", "oci-life", 0.8, "runc", GAP),
    Goal("exec beside runc", "oci-exec", 0.6, "runc", GAP),
    Goal("memory between create and start", "oci-waiting", 12e6),
    # A twentieth more is less than so few blocks could show.
    Goal("run beside a crowd", CROWD, 1.05),
)


@dataclass(frozen=True)
class Judged:
    """`at` is a ratio, or bytes; None where it was not measured, and then `why` says so."""

    goal: Goal
    word: str
    at: Interval | None
    setting: Setting
    why: str = ""

    @property
    def figure(self) -> str:
        """In words: the ratio or the amount with its interval, and in which setting."""
        if self.at is None:
            return self.why
        goal = self.goal
        amount = units.interval(self.at, "bytes") if goal.metric == "oci-waiting" else ""
        where = setting_text(goal.metric, self.setting)
        return ", ".join(filter(None, [amount or units.ratio(self.at), where]))


def judge(cells: Cells) -> list[Judged]:
    return [_judge(cells, goal) for goal in GOALS]


def _judge(cells: Cells, goal: Goal) -> Judged:
    setting = _crowd(cells) if goal.metric == CROWD else goal.wanted
    at = _at(cells, goal, setting)
    if at is None:
        lacks = OURS if not cells.exact(goal.metric, OURS, setting) else goal.beside
        return Judged(goal, UNMEASURED, None, setting, cells.why(lacks, goal.metric))
    return Judged(goal, word(at, goal.most), at, setting)


def _at(cells: Cells, goal: Goal, setting: Setting) -> Interval | None:
    ours = cells.exact(goal.metric, OURS, setting)
    if goal.metric == CROWD:
        return _ratio(ours, cells.exact(CROWD, OURS, {**setting, "running": 0}))
    if goal.beside:
        return _ratio(ours, cells.exact(goal.metric, goal.beside, setting))
    return stats.median(ours) if ours else None


def _crowd(cells: Cells) -> Setting:
    """The setting with the greatest crowd."""
    crowds = [each for each in cells.settings(CROWD) if each.get("running")]
    return max(crowds, key=lambda each: float(each["running"]), default={})


def _ratio(ours: Series, others: Series) -> Interval | None:
    try:
        return stats.ratio(ours, others)
    except ValueError:
        return None


def word(at: Interval, most: float) -> str:
    """Whether `at` is at most that much, and how certain that is."""
    if at.high <= most:
        return REACHED
    if at.low > most:
        return MISSED
    return LIKELY if at.value <= most else UNLIKELY
