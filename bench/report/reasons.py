"""Why a measure has no verdict: who lacks it, and what the file says about that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import findings, stats, units
from bench.cells import NOT_TRIED

if TYPE_CHECKING:
    from bench.cells import Cells
    from bench.samples import Setting

WITHOUT = "the samples do not have it"
MEMORY = "memory"  # the end of a count that tells how many fit


def lacking(cells: Cells, metric: str, wanted: Setting, detail: str) -> list[str]:
    """The reasons that the file gives, of each side that lacks the measure."""
    container, machine = findings.standing(cells)
    lines: list[str] = []
    holders: dict[str, list[str]] = {}
    for family, chosen in (("container", container), ("vm", machine)):
        if not chosen:
            lines += _reasons(cells, family, metric)
        elif not cells.samples(metric, chosen, wanted):
            why = _why(cells, chosen, metric, wanted)
            holders.setdefault(why, []).append(cells.label(chosen))
        elif detail and not cells.of_detail(metric, chosen, wanted, detail):
            holders.setdefault(WITHOUT, []).append(cells.label(chosen))
    lines += [f"{'; '.join(labels)}: {why}" for why, labels in holders.items()]
    return lines or ["the two have it in no setting in common, or not with equal networks"]


def _why(cells: Cells, subject: str, metric: str, wanted: Setting) -> str:
    """A reason that begins with the name of one setting says nothing of another."""
    if "what" not in wanted:
        return cells.why(subject, metric)
    others = {str(each.get("what")) for each in cells.settings(metric)} - {str(wanted["what"])}
    told = [a.why for a in cells.results.absent if (a.subject, a.metric) == (subject, metric)]
    fitting = [why for why in told if why.partition(":")[0] not in others]
    return next(iter(fitting), NOT_TRIED)


def unrated(cells: Cells, container: str, machine: str) -> str:
    """Counts of which one was ended by something else than memory: there is no ratio of them."""
    found = findings.shared(cells, "density", container, machine)
    if found is None:
        return ""
    sides = [_count(cells, subject, found) for subject in (container, machine)]
    return f"{'; '.join(sides)}: no ratio, since memory did not end all counts"


def _count(cells: Cells, subject: str, setting: Setting) -> str:
    ends = findings.limits(cells, subject, setting)
    value = units.quantity(
        stats.median(cells.exact("density", subject, setting)).value, "instances"
    )
    least = "" if ends == {MEMORY} else "at least "
    words = " or ".join(sorted(filter(None, ends))) or "an end that the file does not tell"
    return f"{cells.label(subject)} {least}{value} (ended by {words})"


def _reasons(cells: Cells, family: str, metric: str) -> list[str]:
    """A line for each reason, with all whom it holds for."""
    holders: dict[str, list[str]] = {}
    for subject in cells.known():
        if cells.family(subject) == family and subject not in cells.subjects(metric):
            holders.setdefault(cells.why(subject, metric), []).append(cells.label(subject))
    who = "VM" if family == "vm" else family
    named = [f"{'; '.join(labels)}: {reason}" for reason, labels in holders.items()]
    return named or [f"the file names no {who} that stands for all"]
