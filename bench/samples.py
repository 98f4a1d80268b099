"""Raw samples as JSON lines: what was measured, of whom, in which round, and how disturbed.

A file begins with one header (machine facts, plan), has one line a sample and one for each thing
that could not be measured, and ends with a footer; without it the run was interrupted. Reports
compute everything from such a file and store nothing else.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any, Self, TextIO

SCHEMA = 2
Setting = dict[str, "str | int | float"]


@dataclass(frozen=True)
class Sample:
    """One measured value.

    `metric` and `subject` are names with a fixed meaning ("start", "step6"); `unit` is "s",
    "bytes", "bytes/s", "calls/s", "1/s" or "instances". `setting` is what the value depends on
    besides ({"gap_s": 0.06}); samples are compared within the same metric and setting only.
    `round` pairs the samples that were taken in one interleaved round. `detail` holds more of
    the same measurement ({"first_s": ..., "phases": {name: [from_s, to_s]}}), and what
    all processors did meanwhile (`system_cpu_s`, `steal_s`, in ticks of 10 ms). `pressure_s` is
    the growth of the host's CPU pressure ("some", /proc/pressure/cpu) while it ran. `disturbed`
    is contention as the plan's rule in the header has it.
    """

    metric: str
    subject: str
    value: float
    unit: str
    round: int
    setting: Setting = field(default_factory=dict)
    detail: dict[str, Any] = field(default_factory=dict)
    pressure_s: float = 0.0
    disturbed: bool = False


@dataclass(frozen=True)
class Absent:
    """Something that was not measured, and why; `metric` "" means all of the subject's."""

    subject: str
    why: str
    metric: str = ""


@dataclass
class Results:
    """A whole file, read: `complete` is False when the run was interrupted, without a footer."""

    header: dict[str, Any]
    samples: list[Sample]
    absent: list[Absent]
    complete: bool
    footer: dict[str, Any] = field(default_factory=dict)


class Writer:
    """Appends to a results file; each line is on disk when the call returns."""

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        self._file: TextIO = path.open("x", encoding="utf-8")
        self._line({"kind": "header", "schema": SCHEMA, **header})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, record: Sample | Absent) -> None:
        kind = "sample" if isinstance(record, Sample) else "absent"
        self._line({"kind": kind, **asdict(record)})

    def finish(self, **facts: object) -> None:
        self._line({"kind": "footer", **facts})

    def _line(self, record: dict[str, object]) -> None:
        self._file.write(json.dumps(record, ensure_ascii=False) + "\n")
        self._file.flush()


def read(path: Path) -> Results:
    """A results file; ValueError when it is none, or of another schema."""
    records = []
    whole, _, _torn = path.read_text(encoding="utf-8").rpartition("\n")  # by a kill
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            records.append(json.loads(line))
        except ValueError as error:
            raise ValueError(f"{path}: not a results file: line {number} is no JSON") from error
    if not records or records[0].get("kind") != "header":
        raise ValueError(f"{path}: not a results file: its first line is no header")
    header = records.pop(0)
    if header.get("schema") != SCHEMA:
        raise ValueError(f"{path}: schema {header.get('schema')}, and this reads {SCHEMA}")
    kinds: dict[str, list[Any]] = {"sample": [], "absent": [], "footer": []}
    for record in records:
        kinds[record.pop("kind")].append(record)
    return Results(
        header,
        [Sample(**record) for record in kinds["sample"]],
        [Absent(**record) for record in kinds["absent"]],
        complete=bool(kinds["footer"]),
        footer=next(iter(kinds["footer"]), {}),
    )
