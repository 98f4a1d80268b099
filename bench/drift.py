"""What the machine did between two runs: the plain process's own change, load and contention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import stats
from bench.cells import PROCESS

if TYPE_CHECKING:
    from bench.cells import Cells
    from bench.samples import Setting
    from bench.stats import Interval

TIMED = frozenset({"s", "1/s", "bytes/s", "calls/s"})  # what a busy machine makes worse
LOAD, FLAGGED = 1.0, 0.1  # differences of load, and of the share of flagged samples


def of(before: Cells, after: Cells, metric: str, setting: Setting) -> Interval | None:
    """How much worse the plain process got, in the same setting; else its worst start."""
    exact = _worsening(before, after, metric, setting)
    if exact is not None:
        return exact
    starts = [
        _worsening(before, after, after.main(), each) for each in after.settings(after.main())
    ]
    known = [each for each in starts if each is not None]
    return max(known, key=lambda each: each.high, default=None)


def _worsening(before: Cells, after: Cells, metric: str, setting: Setting) -> Interval | None:
    new, old = (side.exact(metric, PROCESS, setting) for side in (after, before))
    try:
        ratio = stats.ratio(new, old, pair=False)
    except ValueError:
        return None
    if not ratio.known:
        return None
    return ratio.inverse() if stats.more_is_better(after.unit(metric, setting)) else ratio


def warnings(before: Cells, after: Cells) -> list[str]:
    """Why the difference of the two may be that of two hours, and not of the code."""
    found = [
        f"the run {when} was interrupted; its samples are compared nevertheless"
        for when, side in (("before", before), ("after", after))
        if not side.results.complete
    ]
    old, new = before.load(), after.load()
    if abs(new - old) > LOAD:
        found.append(f"the machine was not equally busy: load {old:.1f} → {new:.1f}")
    old, new = (side.disturbed() / max(len(side.results.samples), 1) for side in (before, after))
    if abs(new - old) > FLAGGED:
        found.append(f"samples flagged for contention: {old:.0%} → {new:.0%}")
    if not all(side.series(side.main(), PROCESS) for side in (before, after)):
        found.append("without starts of the plain process in both, a busy machine looks like code")
    return found
