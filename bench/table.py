"""The table that ends `make bench`: start-up and memory of every subject, beside three references.

Each figure is a median with its 95 % interval. A ratio has its own interval, not that of its parts.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench import findings, stats, units
from bench.cells import PROCESS, VMS
from bench.findings import MACHINES
from bench.words import setting_text
from minirt.telemetry.waterfall import Pen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from bench.cells import Cells
    from bench.samples import Setting
    from bench.stats import Series

ABSENT = "-"
BOLD, DIM = "1", "2"


@dataclass(frozen=True)
class Table:
    """Rows of text below a head; the first column names the row."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = field(default=())


def headline(cells: Cells) -> Table:
    """Start-up and memory of each subject, and how often there was contention."""
    start = usual(cells, "start")
    memory = usual(cells, "memory")
    references = _references(cells, start)
    head = ["", "start", "n", "slowest"]
    head += ["less the plain process"] if PROCESS in references else []
    head += [f"/ {cells.label(name)}" for name in references]
    head += ["memory", "contention, all metrics"]
    caption = "Time from request to exit"
    if start is not None:
        caption += f" ({setting_text('start', start)})"
    if memory is not None:
        caption += f", memory of an instance's processes ({setting_text('memory', memory)})"
    rows = [_row(cells, name, references, start, memory) for name in cells.known()]
    notes = [*_footnotes(cells, references, start), *_notes(cells)]
    return Table(f"{caption}: median [95 % interval]", head, rows, notes)


def usual(cells: Cells, metric: str) -> Setting | None:
    """The setting that the most subjects have; of several the one with idle gaps.

    Back to back, work that the kernel does for the run before is not waited for, so gaps are
    nearer to how containers are started.
    """
    settings = cells.settings(metric)
    if not settings:
        return None
    return max(
        settings,
        key=lambda s: (
            len(cells.subjects(metric, s)), s.get("cache") == "warm", s.get("gap_s", 0),
        ),
    )  # fmt: skip


def show(table: Table, out: TextIO | None = None) -> None:
    """The table on a terminal; control characters that the file holds are not passed on."""
    out = out or sys.stdout
    pen = Pen(out, os.environ)
    lines = [[pen.plain(cell) for cell in row] for row in (table.head, *table.rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    print(pen.paint(pen.plain(table.caption), BOLD), file=out)
    for number, line in enumerate(lines):
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print(text.rstrip() if number else pen.paint(text.rstrip(), DIM), file=out)
    for note in table.notes:
        print(pen.plain(note), file=out)


def _references(cells: Cells, start: Setting | None) -> list[str]:
    """The plain process, runc, and a VM that stands for VMs, unless it was emulated."""
    measured = cells.subjects("start", start)
    machines = [name for name in MACHINES if name in measured and not cells.emulated(name)]
    fixed = [name for name in (PROCESS, "runc") if name in measured]
    return fixed + machines[:1]


def _row(
    cells: Cells,
    name: str,
    references: Sequence[str],
    start: Setting | None,
    memory: Setting | None,
) -> list[str]:
    taken = cells.series("start", name, start) if start is not None else []
    row = [findings.name(cells, name), _median(taken, "s"), str(len(taken)) if taken else ABSENT]
    row.append(tail_text(taken) if taken else ABSENT)
    if PROCESS in references:
        floor = cells.series("start", PROCESS, start)
        row.append(ABSENT if name == PROCESS else difference_text(taken, floor))
    for reference in references:
        other = cells.series("start", reference, start)
        equal = name != reference and findings.beside(cells, name, reference)
        row.append(ratio_text(taken, other) if equal else ABSENT)
    held = cells.series("memory", name, memory) if memory is not None else []
    row.append(_median(held, "bytes"))
    return [*row, disturbed_text(cells, name)]


def _median(series: Series, unit: str) -> str:
    return units.interval(stats.median(series), unit) if series else ABSENT


def ratio_text(a: Series, b: Series) -> str:
    """The ratio of two series as text, or that there is none."""
    try:
        return units.ratio(stats.ratio(a, b))
    except ValueError:
        return ABSENT


def difference_text(a: Series, b: Series) -> str:
    return units.interval(stats.difference(a, b), "s") if a and b else ABSENT


def tail_text(series: Series) -> str:
    """As in "max 16.2 ms", for a percentile that few samples do not have."""
    name, value = stats.tail(series)
    return f"{name} {units.quantity(value, 's')}"


def disturbed_text(cells: Cells, name: str) -> str:
    own = [sample for sample in cells.results.samples if sample.subject == name]
    if not own:
        return ABSENT
    return f"{sum(sample.disturbed for sample in own)} of {len(own)}"


def _footnotes(cells: Cells, references: Sequence[str], start: Setting | None) -> list[str]:
    """What the columns of ratios hide: the floor, and what a reference does besides."""
    notes = []
    if PROCESS in references:
        floor = stats.median(cells.series("start", PROCESS, start))
        notes.append(
            f"The floor is the plain process: {units.interval(floor, 's')}, which includes what "
            "the harness itself takes to spawn, to read and to wait."
        )
    others = [name for name in references if name != PROCESS]
    notes += [
        f"/ {cells.label(name)}: the work is not the same: {cells.note(name)}."
        for name in others
        if cells.note(name)
    ]
    if others:
        notes.append(
            f"{ABSENT} in a column of ratios: the network differs, or nothing was measured."
        )
    return notes


def _notes(cells: Cells) -> list[str]:
    notes = []
    if any(cells.emulated(name) for name in cells.subjects()):
        notes.append(
            "Emulated: no usable KVM. Such a row has emulator figures (TCG), not virtualisation's."
        )
    if not cells.results.complete:
        notes.append("The run was interrupted: this is what it had measured by then.")
    silent = [name for name in cells.known() if name not in cells.subjects()]
    notes += [f"not measured: {cells.label(name)}: {cells.why(name, '')}" for name in silent]
    if not set(cells.subjects()) & VMS:
        notes.append("No VM was measured: nothing here compares containers with VMs.")
    return notes
