"""How the figures came about, as far as the file shows it: order, rounds, disturbance, A/A pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench import stats, units
from bench.cells import fact_text, setting, setting_text
from bench.table import Table, usual

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.cells import Cells
    from bench.samples import Sample, Setting
    from bench.stats import Series


def sentences(cells: Cells) -> list[str]:
    found = [_order(cells), _disturbed(cells), _sensitivity(cells)]
    failures = cells.results.footer.get("failures")
    if isinstance(failures, list):
        found.append(f"{len(failures)} measurements failed after the warm-up.")
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
    # A metric with several settings gives its reason for each.
    first = {(a.subject, a.metric): a.why for a in reversed(cells.results.absent)}
    rows = [
        (cells.label(subject), metric or "everything", why)
        for (subject, metric), why in reversed(first.items())
    ]
    return Table("What was not measured, and why", ("subject", "metric", "why"), rows)


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
    rare = "; those with fewer samples took part in some of them"
    return (
        f"Start-up ({setting_text('start', main)}) was measured in {len(rounds)} rounds, in each "
        f"of which the subjects took turns, in {distinct} different orders"
        f"{rare if len({len(order) for order in orders}) > 1 else ''}."
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
