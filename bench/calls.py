"""The tables of runtimes that engines call: what each call takes, and which goals are reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bench import findings, goals, stats, units
from bench.cells import AGAIN, PROCESS
from bench.table import ABSENT, Table, ratio_text
from bench.words import fact_text, setting_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.cells import Cells
    from bench.samples import Setting
    from bench.stats import Series

REFERENCES = ("runc", "crun")


class Row(NamedTuple):
    """`detail` names a number of the samples' details that stands for their value."""

    words: str
    metric: str
    detail: str = ""


ROWS = (
    Row("run", "oci-run"),
    Row("create + start + delete", "oci-life"),
    Row("create", "oci-life", "create_s"),
    Row("start", "oci-life", "start_s"),
    Row("delete", "oci-life", "delete_s"),
    Row("exec", "oci-exec"),
    Row("waiting: resident", "oci-waiting"),
    Row("waiting: PSS", "oci-waiting", "pss"),
    Row("waiting: private", "oci-waiting", "private"),
    Row("run, median of a block", "oci-crowd"),
)


def tables(cells: Cells) -> list[Table]:
    return [headline(cells), judged(cells)]


def headline(cells: Cells) -> Table:
    """Every call, in every setting, of every runtime; and ours beside the others'."""
    subjects = [s for s in cells.subjects() if s != PROCESS and not s.endswith(AGAIN)]
    references = [s for s in REFERENCES if s in subjects and goals.OURS in subjects]
    head = ["call", "", *(cells.label(s) for s in subjects)]
    head += [f"{goals.OURS} / {cells.label(s)}" for s in references]
    rows = [
        [row.words, setting_text(row.metric, setting), *_cells(cells, row, setting, subjects)]
        + [
            ratio_text(*(_series(cells, row, setting, s) for s in (goals.OURS, other)))
            for other in references
        ]
        for row, setting in _settings(cells)
    ]
    caption = "Each call, from its spawn to its exit, and memory: median [95 % interval]"
    return Table(caption, head, rows, _notes(cells))


def judged(cells: Cells) -> Table:
    rows = [(each.goal.name, each.goal.says, each.figure, each.word) for each in goals.judge(cells)]
    return Table("The goals of minirt-oci", ("", "goal", "measured [95 %]", ""), rows)


def _settings(cells: Cells) -> Iterator[tuple[Row, Setting]]:
    for row in ROWS:
        for setting in cells.settings(row.metric):
            yield row, setting


def _series(cells: Cells, row: Row, setting: Setting, subject: str) -> Series:
    if row.detail:
        return cells.of_detail(row.metric, subject, setting, row.detail)
    return cells.exact(row.metric, subject, setting)


def _cells(cells: Cells, row: Row, setting: Setting, subjects: Sequence[str]) -> list[str]:
    unit = cells.unit(row.metric, setting)
    found = [_series(cells, row, setting, subject) for subject in subjects]
    return [units.interval(stats.median(each), unit) if each else ABSENT for each in found]


def _notes(cells: Cells) -> list[str]:
    notes = []
    floor = cells.exact("oci-run", PROCESS, goals.GAP)
    if floor:
        notes.append(
            f"The floor of run: a plain process takes {units.interval(stats.median(floor), 's')}, "
            "which includes what the harness takes to spawn, to read and to wait."
        )
    notes += [f"{cells.label(s)}: {cells.note(s)}." for s in cells.subjects() if _told(cells, s)]
    if bundle := fact_text(cells.header.get("bundle")):
        notes.append(f"The bundle of all: {bundle}.")
    notes += _seen(cells)
    if world := fact_text(cells.header.get("mount_namespace")):
        notes.append(f"The mount namespace of all: {world}.")
    silent = [name for name in cells.known() if name not in cells.subjects()]
    return notes + [f"not measured: {cells.label(name)}: {cells.why(name, '')}" for name in silent]


def _told(cells: Cells, subject: str) -> bool:
    return subject != PROCESS and not subject.endswith(AGAIN) and bool(cells.note(subject))


def _seen(cells: Cells) -> list[str]:
    """What the kernel showed of a container of each: whether the work was the same."""
    found = {}
    for subject in cells.subjects("oci-exec"):
        seen = [sample.detail.get("seen") for sample in cells.samples("oci-exec", subject)]
        if not subject.endswith(AGAIN) and seen and seen[-1]:
            found[findings.name(cells, subject)] = fact_text(seen[-1])
    if not found:
        return []
    return [f"In a container: {'; '.join(f'{name}: {text}' for name, text in found.items())}."]
