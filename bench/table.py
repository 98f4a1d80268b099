"""The table that ends `make bench`: start-up and memory of every subject, beside three references.

Each figure is a median with its 95 % interval. A ratio has its own interval, not that of its parts.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench import stats, units
from bench.cells import PROCESS, VMS, setting_text
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
    """Start-up and memory of each subject, and how often it was disturbed."""
    start = usual(cells, "start")
    memory = usual(cells, "memory")
    references = _references(cells, start)
    head = ["", "start", "p95"]
    head += [f"/ {cells.label(name)}" for name in references]
    head += ["memory", "disturbed"]
    caption = "Time from request to exit"
    if start is not None:
        caption += f" ({setting_text('start', start)})"
    if memory is not None:
        caption += f", memory of an instance ({setting_text('memory', memory)})"
    rows = [_row(cells, name, references, start, memory) for name in cells.known()]
    return Table(f"{caption}: median [95 % interval]", head, rows, _notes(cells))


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
    """The plain process, runc and the first VM, of those that were measured."""
    measured = cells.subjects("start", start)
    machines = [name for name in measured if cells.family(name) == "vm"]
    fixed = [name for name in (PROCESS, "runc") if name in measured]
    return fixed + machines[:1]


def _row(
    cells: Cells,
    name: str,
    references: Sequence[str],
    start: Setting | None,
    memory: Setting | None,
) -> list[str]:
    label = cells.label(name) + (" (emulated)" if cells.emulated(name) else "")
    taken = cells.series("start", name, start) if start is not None else []
    row = [label, _median(taken, "s")]
    row.append(units.quantity(stats.p95(taken), "s") if taken else ABSENT)
    for reference in references:
        other = cells.series("start", reference, start)
        row.append(ABSENT if name == reference else ratio_text(taken, other))
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


def disturbed_text(cells: Cells, name: str) -> str:
    own = [sample for sample in cells.results.samples if sample.subject == name]
    if not own:
        return ABSENT
    return f"{sum(sample.disturbed for sample in own)} of {len(own)}"


def _notes(cells: Cells) -> list[str]:
    notes = []
    if any(cells.emulated(name) for name in cells.subjects()):
        notes.append(
            "Emulated: no KVM. Such a row measures the emulator (TCG), not virtualisation."
        )
    if not cells.results.complete:
        notes.append("The run was interrupted: this is what it had measured by then.")
    silent = [name for name in cells.known() if name not in cells.subjects()]
    notes += [f"not measured: {cells.label(name)}: {cells.why(name, '')}" for name in silent]
    if not set(cells.subjects()) & VMS:
        notes.append("No VM was measured: nothing here compares containers with VMs.")
    return notes
