"""What changed between two results files, and whether it got worse.

    python -m bench compare BEFORE AFTER [--threshold 1.1] [--metric start]

A ratio is after / before of medians, with a bootstrap 95 % interval; the files are two runs, so
their rounds are no pairs. The plain process tells what the machine did meanwhile: a change counts
only beyond its own. Exit status: 0, or 1 when even the lower bound of a worsening is beyond the
threshold, or 2 when a file cannot be used.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench import cells, drift, loading, stats, table, units, words
from bench.table import Table
from minirt.telemetry.waterfall import Pen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.cells import Cells
    from bench.samples import Setting
    from bench.stats import Interval

WORSE, UNUSABLE = 1, 2
THRESHOLD = 1.1
BEYOND, SLIGHTLY, BETTER, UNCHANGED, UNKNOWN, MACHINE = (
    "WORSE", "worse, within the threshold", "better", "no change shown", "too few samples",
    "no more than the plain process",
)  # fmt: skip
# Of the machine: what says when, how busy and which code, not which machine.
PASSING = frozenset({"load", "available_bytes", "steal_s", "minirt"})


@dataclass(frozen=True)
class Change:
    """One subject in one setting; `worsening` is above 1 when the second file is worse.

    `machine` is the worsening of the plain process, None where that says nothing of this unit.
    """

    metric: str
    setting: Setting
    subject: str
    unit: str
    before: float
    after: float
    ratio: Interval
    worsening: Interval
    machine: Interval | None = None

    def verdict(self, threshold: float) -> str:
        if not self.worsening.known:
            return UNKNOWN
        if self.worsening.contains(1):
            return UNCHANGED
        known = self.machine is not None and self.machine.known
        low, high = (self.machine.low, self.machine.high) if self.machine and known else (1.0, 1.0)
        if self.worsening.high < 1:
            return BETTER if self.worsening.high < min(low, 1) else MACHINE
        if self.worsening.low <= max(high, 1):
            return MACHINE
        return BEYOND if self.worsening.low > threshold * max(high, 1) else SLIGHTLY


def main(argv: Sequence[str]) -> int:
    options = _options(argv)
    try:
        before, after = loading.load(options.before), loading.load(options.after)
        changes = compare(before, after, options.metric)
    except ValueError as error:
        print(f"bench compare: {error}", file=sys.stderr)
        return UNUSABLE
    for line in drift.warnings(before, after):
        print(_plain(f"warning: {line}"))
    for line in machines(before, after):
        print(f"warning: another machine: {line}")
    print(_plain(_code(before, after)))
    table.show(_table(after, changes, options.threshold))
    for line in missing(before, after, options.metric):
        print(_plain(f"not compared: {line}"))
    verdicts = [change.verdict(options.threshold) for change in changes]
    print(_sum(verdicts, options.threshold))
    return WORSE if BEYOND in verdicts else 0


def compare(before: Cells, after: Cells, metrics: Sequence[str] = ()) -> list[Change]:
    """Everything that both files have, in the order of the second; ValueError if nothing."""
    changes = list(_changes(before, after, metrics))
    if not changes:
        raise ValueError("the files have no metric, setting and subject in common (see --metric)")
    return changes


def _changes(before: Cells, after: Cells, metrics: Sequence[str]) -> Iterator[Change]:
    for metric, setting, subject in _keys(after, metrics):
        old = before.exact(metric, subject, setting)
        new = after.exact(metric, subject, setting)
        unit = after.unit(metric, setting)
        if not old or unit != before.unit(metric, setting):
            continue
        try:
            ratio = _ratio(new, old, metric, unit)
        except ValueError:
            continue
        worsening = ratio.inverse() if stats.more_is_better(unit) else ratio
        yield Change(
            metric, setting, subject, unit,
            stats.median(old).value, stats.median(new).value, ratio, worsening,
            drift.of(before, after, metric, setting) if unit in drift.TIMED else None,
        )  # fmt: skip


def missing(before: Cells, after: Cells, metrics: Sequence[str] = ()) -> list[str]:
    """What only one of the files has, and why, where the other knows."""
    old, new = list(_keys(before, metrics)), list(_keys(after, metrics))
    sides = (("before", old, new, after), ("after", new, old, before))
    holders: dict[str, dict[str, None]] = {}  # who shares the end of a line
    for side, own, others, other in sides:
        for key in (key for key in own if key not in others):
            holders.setdefault(_only(key, side, other), {})[other.label(key[2])] = None
    return [f"{'; '.join(labels)}, {end}" for end, labels in holders.items()]


def machines(before: Cells, after: Cells) -> list[str]:
    """The machine facts in which the files differ; load and the like come and go."""
    old, new = before.machine(), after.machine()
    return [
        _plain(f"{name}: {words.fact_text(old.get(name))} → {words.fact_text(new.get(name))}")
        for name in dict.fromkeys([*old, *new])
        if name not in PASSING and old.get(name) != new.get(name)
    ]


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench compare", description="What changed between two results files."
    )
    parser.add_argument("before", type=Path, help="results of the first run (JSON lines)")
    parser.add_argument("after", type=Path, help="results of the second run")
    parser.add_argument(
        "--threshold",
        type=_threshold,
        default=THRESHOLD,
        help="fail when a worsening is beyond it for certain (default %(default)s)",
    )
    parser.add_argument(
        "--metric", action="append", default=[], help="only this metric; may be repeated"
    )
    return parser.parse_args(argv)


def _threshold(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}: a ratio of at least 1 is wanted, such as 1.1")
    return value


def _keys(of: Cells, metrics: Sequence[str]) -> Iterator[tuple[str, Setting, str]]:
    for metric in of.metrics():
        if metrics and metric not in metrics:
            continue
        for setting in of.settings(metric):
            for subject in of.subjects(metric, setting):
                if of.exact(metric, subject, setting):
                    yield metric, setting, subject


def _ratio(new: stats.Series, old: stats.Series, metric: str, unit: str) -> Interval:
    if cells.counted(metric, unit):
        return stats.exactly(new, old)
    return stats.ratio(new, old, pair=False)


def _only(key: tuple[str, Setting, str], side: str, other: Cells) -> str:
    """Where, unless the other has nothing of the metric at all; and why."""
    metric, setting, subject = key
    told = words.setting_text(metric, setting) if metric in other.metrics() else ""
    why = other.why(subject, metric)
    reason = "" if why == cells.NOT_TRIED else f" ({why})"
    return f"{', '.join(filter(None, [metric, told]))}: only {side}{reason}"


def _code(before: Cells, after: Cells) -> str:
    """Which revisions of the code are compared."""
    old, new = (words.fact_text(side.machine().get("minirt")) for side in (before, after))
    return f"minirt: {old or 'unknown'} → {new or 'unknown'}"


def _table(after: Cells, changes: Sequence[Change], threshold: float) -> Table:
    rows = [
        [
            change.metric,
            words.setting_text(change.metric, change.setting),
            after.label(change.subject),
            units.quantity(change.before, change.unit),
            units.quantity(change.after, change.unit),
            units.ratio(change.ratio),
            change.verdict(threshold),
        ]
        for change in changes
    ]
    head = ("metric", "setting", "subject", "before", "after", "after / before", "")
    return Table("Medians, and their ratio with its 95 % interval", head, rows)


def _sum(verdicts: Sequence[str], threshold: float) -> str:
    counts = [
        f"{verdicts.count(verdict)} {verdict}"
        for verdict in (BEYOND, SLIGHTLY, BETTER, MACHINE, UNCHANGED, UNKNOWN)
        if verdict in verdicts
    ]
    return f"{', '.join(counts)} (threshold {threshold:g})"


def _plain(text: str) -> str:
    return Pen(sys.stdout, os.environ).plain(text)
