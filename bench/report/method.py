"""How the figures came about, as far as the file shows it: order, rounds, intervals, A/A pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench import stats, units
from bench.cells import setting
from bench.report import conditions
from bench.table import Table, usual
from bench.words import fact_rows, setting_text

if TYPE_CHECKING:
    from bench.cells import Cells
    from bench.samples import Setting
    from bench.stats import Series


def sentences(cells: Cells) -> list[str]:
    found = [
        _order(cells), conditions.cache(cells), conditions.contention(cells),
        *conditions.sensitivity(cells), *conditions.failures(cells), *conditions.retries(cells),
        _intervals(), _correlation(cells),
    ]  # fmt: skip
    return [sentence for sentence in found if sentence]


def _intervals() -> str:
    return (
        f"Intervals are 95 % percentile bootstrap intervals of medians: {stats.RESAMPLES} "
        "resamples of blocks of successive rounds, as long as the cube root of their number, with "
        f"seed {stats.SEED}. Two subjects are resampled in the same rounds where they have the "
        f"same, else each for itself. Fewer than {stats.FEWEST} samples have no interval. All "
        "samples count, those with contention too. Intervals are not adjusted for their number: of "
        "all in this report, one in twenty or more misses by chance alone."
    )


def _correlation(cells: Cells) -> str:
    """How far the rounds depend on one another, which is what makes intervals too narrow."""
    metric = cells.main()
    main = usual(cells, metric)
    told = [stats.lag1(cells.exact(metric, s, main or {})) for s in cells.subjects(metric, main)]
    known = sorted(r for r in told if r is not None)
    if main is None or not known:
        return ""
    middle = float(np.median(known))
    return (
        f"From one round of start-up to the next, times have a rank correlation of {known[0]:.2f} "
        f"to {known[-1]:.2f}, median {middle:.2f} of {len(known)} subjects. Blocks allow for a "
        "part of it: at 0.5 and 30 rounds, intervals hold the truth in about 85 of 100 cases."
    )


def plan(cells: Cells) -> Table:
    caption = "The plan of the run; samples are the most of a subject in one metric and setting"
    return Table(caption, ("", "value"), fact_rows(cells.plan()))


def machine(cells: Cells) -> Table:
    return Table("The machine", ("", "fact"), fact_rows(cells.machine()))


def subjects(cells: Cells) -> Table:
    rows = [
        (cells.label(s), cells.family(s), str(_count(cells, s)), cells.note(s))
        for s in cells.known()
    ]
    head = ("subject", "family", "samples of all metrics", "what it does, and does not do")
    return Table("Who was measured", head, rows)


def absent(cells: Cells) -> Table:
    """Those with one reason share a row; of several settings each gives the reason anew."""
    holders: dict[tuple[str, str], list[str]] = {}
    for each in cells.results.absent:
        labels = holders.setdefault((each.metric, each.why), [])
        if (label := cells.label(each.subject)) not in labels:
            labels.append(label)
    rows = [
        (metric or "everything", why, "; ".join(labels))
        for (metric, why), labels in holders.items()
    ]
    return Table("What was not measured, and why", ("metric", "why", "subjects"), rows)


def same(cells: Cells) -> Table:
    """The A/A pair: one subject under two names, in everything that both were measured in."""
    rows = []
    for once, again in cells.twins():
        for metric in cells.metrics():
            for each in cells.settings(metric):
                pair = [cells.exact(metric, subject, each) for subject in (once, again)]
                rows += _twice(pair[0], pair[1], f"{cells.label(once)}: {_where(metric, each)}")
    caption = "The same subject twice: its ratio to itself, which ought to be 1"
    return Table(caption, ("", "ratio [95 %]", "interval holds 1"), rows)


def _twice(once: Series, again: Series, where: str) -> list[tuple[str, str, str]]:
    try:
        ratio, alike = stats.alike(once, again)
    except ValueError:
        return []
    holds = ("yes" if alike else "no") if ratio.known else "too few samples"
    return [(where, units.ratio(ratio), holds)]


def _where(metric: str, each: Setting) -> str:
    return ", ".join(filter(None, [metric, setting_text(metric, each)]))


def same_in_words(cells: Cells) -> str:
    rows = same(cells).rows
    if not rows:
        return "No subject was measured under two names: the file has no A/A pair."
    held = sum(row[2] == "yes" for row in rows)
    decided = sum(row[2] in ("yes", "no") for row in rows)
    metrics = dict.fromkeys(row[0].partition(": ")[2].partition(",")[0] for row in rows)
    return (
        f"The A/A pair, one subject under two names, was compared {decided} times, of "
        f"{', '.join(metrics)}; {held} of these intervals hold 1. {len(rows) - decided} more have "
        "too few samples. So few comparisons would show a gross error of the method, and no other."
    )


def _order(cells: Cells) -> str:
    """Whether subjects took turns, and in how many orders, as the file itself shows."""
    metric = cells.main()
    main = usual(cells, metric)
    if main is None:
        return ""
    orders: list[list[str]] = []
    last: object = None
    rounds = set()
    for sample in (s for s in cells.results.samples if s.metric == metric and setting(s) == main):
        if sample.round != last:
            orders.append([])
            last = sample.round
        orders[-1].append(sample.subject)
        rounds.add(sample.round)
    distinct = len({tuple(order) for order in orders})
    if len(orders) > len(rounds):
        return (
            "Not all subjects took turns in each round of start-up: what drifted on the machine "
            "between them is in their ratios."
        )
    rare = "; those with fewer samples took part in some of them"
    return (
        f"Start-up ({setting_text(metric, main)}) was measured in {len(rounds)} rounds, in each "
        f"of which the subjects took turns, in {distinct} different orders"
        f"{rare if len({len(order) for order in orders}) > 1 else ''}."
    )


def _count(cells: Cells, subject: str) -> int:
    return sum(sample.subject == subject for sample in cells.results.samples)
