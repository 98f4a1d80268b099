"""What the machine did meanwhile, and what went wrong: contention, failures, repeated boots."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bench import units
from bench.words import setting_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.cells import Cells
    from bench.samples import Sample, Setting

MOST_FLAGGED = 0.2  # a greater share of samples is a warning on top


def warnings(cells: Cells) -> list[str]:
    """What a reader must know before any figure."""
    found = []
    if not cells.results.complete:
        found.append("The run was interrupted: the report shows what it had measured by then.")
    if cells.machine().get("virtualised") is True:
        found.append(
            "This machine is itself a VM: the hypervisor below it takes part in every figure."
        )
    return [*found, *_busy(cells)]


def _busy(cells: Cells) -> list[str]:
    told = cells.machine().get("cores")
    cores = told if isinstance(told, int) else math.inf
    found = []
    if cells.load() > cores:
        found.append(f"The machine was busy: a load of {cells.load():.1f} on {cores} processors.")
    total = len(cells.results.samples)
    if total and cells.disturbed() > MOST_FLAGGED * total:
        share = cells.disturbed() / total
        found.append(f"{share:.0%} of the samples were taken under contention for the processors.")
    if not found:
        return []
    return [" ".join([*found, "Times are longer than on a quiet machine, and ratios may differ."])]


def cache(cells: Cells) -> str:
    warm_up = cells.plan().get("warm_up")
    rounds = f": {warm_up} warm-up rounds came before" if isinstance(warm_up, int) else ""
    return f"The page cache was not controlled{rounds}."


def contention(cells: Cells) -> str:
    total = len(cells.results.samples)
    pressures = [sample.pressure_s for sample in cells.results.samples]
    most = units.quantity(max(pressures, default=0), "s")
    rule = cells.plan().get("disturbed")
    return (
        f"{cells.disturbed()} of {total} samples are flagged for contention, whoever caused it"
        f"{f' ({rule})' if isinstance(rule, str) else ''}; the most that some task waited for a "
        f"processor during one sample was {most}."
    )


def sensitivity(cells: Cells) -> list[str]:
    """What the flagged samples do to medians: the worst of each metric; and where all are."""
    if not cells.disturbed():
        return []
    changes: dict[str, list[tuple[float, str]]] = {}
    whole = []
    for metric, setting, subject in _each(cells):
        taken = cells.exact_samples(metric, subject, setting)
        where = ", ".join(filter(None, [cells.label(subject), setting_text(metric, setting)]))
        change = _change(taken)
        if change is None:
            whole.append(f"{metric}: {where}")
        else:
            changes.setdefault(metric, []).append((change, where))
    worst = [f"{metric} {max(of)[0]:.0%} ({max(of)[1]})" for metric, of in changes.items()]
    lines = [
        f"Without the flagged samples, the median that changes most is, of {'; of '.join(worst)}."
    ]
    if whole:
        lines.append(f"All samples are flagged of {'; '.join(whole)}.")
    return lines if worst else lines[1:]


def _each(cells: Cells) -> Iterator[tuple[str, Setting, str]]:
    for metric in cells.metrics():
        for setting in cells.settings(metric):
            for subject in cells.subjects(metric, setting):
                if cells.exact(metric, subject, setting):
                    yield metric, setting, subject


def _change(samples: Sequence[Sample]) -> float | None:
    """How far the median moves without the flagged; None where nothing is left of it."""
    kept = [sample.value for sample in samples if not sample.disturbed]
    whole = float(np.median([sample.value for sample in samples]))
    if not kept:
        return None
    return abs(float(np.median(kept)) / whole - 1) if whole else 0.0


def failures(cells: Cells) -> list[str]:
    """Each, by name: a sample that is missing is not missing at random."""
    told = cells.results.footer.get("failures")
    if not isinstance(told, list):
        return []
    if not told:
        return ["No measurement failed."]
    named = [_failure(cells, each) for each in told if isinstance(each, dict)]
    return [f"Measurements that failed, {len(told)} in all: {'; '.join(named)}."]


def _failure(cells: Cells, told: dict[str, object]) -> str:
    where = [cells.label(str(told.get("subject", ""))), str(told.get("metric", ""))]
    where += [f"round {told['round']}"] if "round" in told else []
    return f"{', '.join(filter(None, where))}: {told.get('why', '')}"


def retries(cells: Cells) -> list[str]:
    """Boots that were repeated: what the first one took is in the sample."""
    found: dict[str, int] = {}
    for sample in cells.results.samples:
        again = sample.detail.get("retries")
        if isinstance(again, int) and again > 0:
            found[sample.subject] = found.get(sample.subject, 0) + 1
    return [
        f"{cells.label(subject)}, samples that hold a failed boot and its repetition: {number}."
        for subject, number in found.items()
    ]
