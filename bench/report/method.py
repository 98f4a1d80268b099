"""How the figures came about, as far as the file shows it: order, rounds, disturbance, A/A pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench import stats, units
from bench.cells import SAME, fact_text, setting, setting_text
from bench.table import Table, usual

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.cells import Cells
    from bench.samples import Sample


def sentences(cells: Cells) -> list[str]:
    found = [_order(cells), _disturbed(cells), _sensitivity(cells)]
    seed = cells.header.get("seed")
    if seed is not None:
        found.append(f"The seed of the order was {fact_text(seed)}.")
    found.append(
        f"Intervals are 95 % percentile bootstrap intervals of medians, of {stats.RESAMPLES} "
        f"resamples with seed {stats.SEED}; rounds are resampled as pairs where both subjects have "
        f"at least {stats.FEWEST} in common, else each subject for itself. Fewer than "
        f"{stats.FEWEST} samples have no interval. All samples count, disturbed ones too."
    )
    return [sentence for sentence in found if sentence]


def plan(cells: Cells) -> Table:
    rows = [(str(name), fact_text(value)) for name, value in cells.plan().items()]
    return Table("The plan of the run, as the file has it", ("", "value"), rows)


def machine(cells: Cells) -> Table:
    rows = [(str(name), fact_text(value)) for name, value in cells.machine().items()]
    return Table("The machine", ("", "fact"), rows)


def subjects(cells: Cells) -> Table:
    rows = [
        (cells.label(s), cells.family(s), str(_count(cells, s)), cells.note(s))
        for s in cells.known()
    ]
    head = ("subject", "family", "samples", "what it does, and does not do")
    return Table("Who was measured", head, rows)


def absent(cells: Cells) -> Table:
    rows = [(cells.label(a.subject), a.metric or "everything", a.why) for a in cells.results.absent]
    return Table("What was not measured, and why", ("subject", "metric", "why"), rows)


def same(cells: Cells) -> Table:
    """The A/A pair: one subject under two names, in everything that both were measured in."""
    rows = []
    for metric in cells.metrics():
        for each in cells.settings(metric):
            once, again = (cells.exact(metric, subject, each) for subject in SAME)
            try:
                ratio, alike = stats.alike(once, again)
            except ValueError:
                continue
            where = ", ".join(filter(None, [metric, setting_text(metric, each)]))
            rows.append((where, units.ratio(ratio), "yes" if alike else "no"))
    caption = f"The same subject twice ({cells.label(SAME[0])}): ratio, which ought to be 1"
    return Table(caption, ("", "ratio [95 %]", "interval holds 1"), rows)


def same_in_words(cells: Cells) -> str:
    rows = same(cells).rows
    if not rows:
        reasons = (f"{subject}: {cells.why(subject, 'start')}" for subject in SAME)
        return f"No A/A pair: {', '.join(reasons)}."
    held = sum(row[2] == "yes" for row in rows)
    return (
        f"The interval of the A/A pair holds 1 in {held} of {len(rows)} settings; one in twenty "
        "may miss it by chance, more would mean that the method makes differences."
    )


def _order(cells: Cells) -> str:
    """Whether subjects took turns, and in how many orders, as the file itself shows."""
    main = usual(cells, "start")
    if main is None:
        return ""
    orders: list[list[str]] = []
    last: object = None
    rounds = set()
    for sample in (s for s in cells.results.samples if _is(s, main)):
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
    return (
        f"Start-up ({setting_text('start', main)}) was measured in {len(rounds)} rounds, each with "
        f"every subject in turn, in {distinct} different orders."
    )


def _is(sample: Sample, main: object) -> bool:
    return sample.metric == "start" and setting(sample) == main


def _disturbed(cells: Cells) -> str:
    total = len(cells.results.samples)
    pressures = [sample.pressure_s for sample in cells.results.samples]
    most = units.quantity(max(pressures, default=0), "s")
    return (
        f"{cells.disturbed()} of {total} samples are flagged as disturbed by other work on the "
        f"machine; the most that tasks waited for a processor during one sample was {most}."
    )


def _sensitivity(cells: Cells) -> str:
    """What the disturbed samples do to the medians of start-up."""
    main = usual(cells, "start")
    changes = [_change(cells.samples("start", s, main)) for s in cells.subjects("start", main)]
    changes = [change for change in changes if change is not None]
    if not changes or not cells.disturbed():
        return ""
    worst = max(change for change in changes if change is not None)
    return f"Without them no median of start-up would change by more than {worst:.1%}."


def _change(samples: Sequence[Sample]) -> float | None:
    kept = [sample.value for sample in samples if not sample.disturbed]
    whole = float(np.median([sample.value for sample in samples])) if samples else 0.0
    if not kept or not whole:
        return None
    return abs(float(np.median(kept)) / whole - 1)


def _count(cells: Cells, subject: str) -> int:
    return sum(sample.subject == subject for sample in cells.results.samples)
