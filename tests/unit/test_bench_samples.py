"""A results file says again what was written into it, and refuses what it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.samples import Absent, Sample, Writer, read

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE = Sample(
    "start", "step6", 0.02, "s", 3, {"gap_s": 0.06}, {"first_s": 0.01}, 0.001, disturbed=True
)
ABSENT = Absent("runc", "runc is not installed")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    with Writer(tmp_path / "r.jsonl", {"seed": 7}) as writer:
        writer.add(SAMPLE)
        writer.add(ABSENT)
        writer.finish(failures=[])
    results = read(tmp_path / "r.jsonl")
    assert results.header["seed"] == 7
    assert (results.samples, results.absent) == ([SAMPLE], [ABSENT])
    assert results.complete


def test_a_file_without_its_end_was_interrupted(tmp_path: Path) -> None:
    with Writer(tmp_path / "r.jsonl", {}) as writer:
        writer.add(SAMPLE)
    assert not read(tmp_path / "r.jsonl").complete


def test_a_line_that_a_kill_has_torn_is_left_out(tmp_path: Path) -> None:
    with Writer(tmp_path / "r.jsonl", {}) as writer:
        writer.add(SAMPLE)
    with (tmp_path / "r.jsonl").open("a") as file:
        file.write('{"kind": "sample", "metr')
    results = read(tmp_path / "r.jsonl")
    assert (results.samples, results.complete) == ([SAMPLE], False)


def test_results_are_never_written_over(tmp_path: Path) -> None:
    Writer(tmp_path / "r.jsonl", {}).__exit__()
    with pytest.raises(FileExistsError):
        Writer(tmp_path / "r.jsonl", {})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no header"),
        ('{"kind": "sample"}\n', "no header"),
        ('{"kind": "header", "schema": 99}\n', "schema 99"),
        ('{"kind": "header", "schema": 2}\n{"kind"\n', "line 2 is no JSON"),
    ],
)
def test_another_file_is_refused_with_the_reason(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "r.jsonl").write_text(text)
    with pytest.raises(ValueError, match=why):
        read(tmp_path / "r.jsonl")
