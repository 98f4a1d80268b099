"""`python -m bench compare` says what changed, and fails only for what certainly got worse."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import bench_results
import pytest

from bench import compare, loading, table
from bench.samples import Absent, Sample, Writer


def small(path: Path, samples: list[Sample], **header: object) -> str:
    with Writer(path, bench_results.header(**header)) as writer:
        for sample in samples:
            writer.add(sample)
        writer.finish()
    return str(path)


def samples(value: float, unit: str = "s", metric: str = "start", n: int = 10) -> list[Sample]:
    return [Sample(metric, "runc", value * (1 + i / 1000), unit, i) for i in range(n)]


def test_a_worsening_beyond_the_threshold_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = bench_results.write(tmp_path / "a.jsonl")
    after = bench_results.write(tmp_path / "b.jsonl", slow=1.5)
    assert compare.main([str(before), str(after)]) == 1
    out = capsys.readouterr().out
    worse = [line for line in out.splitlines() if "WORSE" in line and "[" in line]
    assert len(worse) == 2  # once for each gap
    assert all("runc" in line for line in worse)
    assert compare.main([str(before), str(after), "--threshold", "1.8"]) == 0
    assert compare.main([str(before), str(after), "--metric", "memory"]) == 0


def test_a_file_does_not_differ_from_itself(tmp_path: Path) -> None:
    file = bench_results.write(tmp_path / "a.jsonl")
    same = loading.load(file)
    verdicts = {change.verdict(1.1) for change in compare.compare(same, same)}
    assert verdicts <= {compare.UNCHANGED, compare.UNKNOWN}


@pytest.mark.parametrize(
    ("unit", "metric", "before", "after", "status"),
    [
        ("s", "start", 1, 1.5, 1), ("s", "start", 1.5, 1, 0), ("1/s", "starts", 1.5, 1, 1),
        ("1/s", "starts", 1, 1.5, 0), ("bytes/s", "network", 2, 1, 1), ("bytes", "disk", 1, 2, 1),
    ],
)  # fmt: skip
def test_what_is_worse_depends_on_the_unit(
    tmp_path: Path, unit: str, metric: str, before: float, after: float, status: int
) -> None:
    a = small(tmp_path / "a", samples(before, unit, metric))
    b = small(tmp_path / "b", samples(after, unit, metric))
    assert compare.main([a, b]) == status


def slowed(value: float, factor: float) -> list[Sample]:
    """Two subjects: the plain process got slower by `factor`, runc takes `value`."""
    return [*samples(value), *(replace(s, subject="process") for s in samples(factor))]


@pytest.mark.parametrize(
    ("runc", "process", "verdict"),
    [
        (1.5, 1.5, compare.MACHINE), (1.5, 1.0, compare.BEYOND), (3.0, 1.5, compare.BEYOND),
        (1.6, 1.5, compare.SLIGHTLY), (0.5, 0.5, compare.MACHINE), (0.4, 0.5, compare.BETTER),
    ],
)  # fmt: skip
def test_a_change_counts_beyond_that_of_the_plain_process_only(
    tmp_path: Path, runc: float, process: float, verdict: str
) -> None:
    a = loading.load(Path(small(tmp_path / "a", slowed(1, 1))))
    b = loading.load(Path(small(tmp_path / "b", slowed(runc, process))))
    (change,) = (c for c in compare.compare(a, b) if c.subject == "runc")
    assert change.verdict(1.1) == verdict


def test_more_contention_and_another_revision_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = small(tmp_path / "a", slowed(1, 1))
    flagged = [replace(s, disturbed=True) for s in slowed(1, 1)]
    newer = {**bench_results.MACHINE, "minirt": {"revision": "b"}, "available_bytes": 5}
    compare.main([a, small(tmp_path / "b", flagged, machine=newer)])
    out = capsys.readouterr().out
    assert "samples flagged for contention: 0% → 100%" in out
    assert "minirt: revision a → revision b" in out
    assert "another machine" not in out


def test_few_samples_never_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = small(tmp_path / "a", samples(1, n=4)), small(tmp_path / "b", samples(9, n=4))
    assert compare.main([a, b]) == 0
    assert compare.UNKNOWN in capsys.readouterr().out


def test_what_one_side_lacks_is_said_with_its_reason(tmp_path: Path) -> None:
    a = loading.load(Path(small(tmp_path / "a", samples(1))))
    a.results.absent.append(Absent("crun", "not installed"))
    more = [*samples(1), *[replace(s, subject="crun") for s in samples(2)]]
    b = loading.load(Path(small(tmp_path / "b", more)))
    (line,) = compare.missing(a, b)
    assert line == "crun, start, back to back: only after (not installed)"


def test_what_an_interrupted_run_lacks_is_a_line_for_each_metric(tmp_path: Path) -> None:
    names = ("process", "runc", "crun")
    whole = [
        replace(s, subject=name, setting={"at_once": n})
        for name in names
        for n in (1, 2)
        for s in samples(1, "1/s", "starts")
    ]
    a = loading.load(Path(small(tmp_path / "a", [*samples(1), *whole])))
    b = loading.load(Path(small(tmp_path / "b", samples(1))))
    (line,) = compare.missing(a, b)
    assert line.count(";") == 2
    assert line.endswith(", starts: only before")


def test_another_machine_and_an_interrupted_run_are_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = small(tmp_path / "a", samples(1))
    other = {**bench_results.MACHINE, "kernel": "6.1.0", "load": [9]}
    b = small(tmp_path / "b", samples(1), machine=other)
    c = bench_results.write(tmp_path / "c", finish=False)
    compare.main([a, b])
    warnings = [line for line in capsys.readouterr().out.splitlines() if "warning" in line]
    assert warnings == [
        "warning: the machine was not equally busy: load 0.1 → 9.0",
        "warning: without starts of the plain process in both, a busy machine looks like code",
        "warning: another machine: kernel: 6.18.0 → 6.1.0",
    ]
    compare.main([a, str(c)])
    assert "the run after was interrupted" in capsys.readouterr().out


HEADER = '{"kind": "header", "schema": 2}\n'
NAN = (
    '{"kind": "sample", "metric": "start", "subject": "runc", "value": NaN, "unit": "s",'
    ' "round": 1}\n'
)


@pytest.mark.parametrize(
    "text",
    [
        "", "no json\n", "[1]\n", '{"kind": "sample"}\n', HEADER.replace("2", "99"),
        HEADER + '{"kind": "sample", "what": 1}\n', HEADER + "[]\n", HEADER + '{"kind": "x"}\n',
        HEADER + NAN, HEADER + NAN.replace("NaN", '"1"'),
    ],
)  # fmt: skip
def test_unusable_input_is_status_2_and_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    good = small(tmp_path / "good", samples(1))
    bad = tmp_path / "bad"
    bad.write_text(text)
    assert compare.main([good, str(bad)]) == 2
    assert compare.main([good, str(tmp_path / "absent")]) == 2
    assert compare.main([good, good, "--metric", "nothing"]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 3
    assert str(bad) in errors[0]


def test_the_headline_names_every_subject_and_why_one_is_missing(tmp_path: Path) -> None:
    found = table.headline(loading.load(bench_results.write(tmp_path / "a.jsonl")))
    names = [row[0] for row in found.rows]
    assert names[0] == "plain process"
    assert "QEMU microvm (emulated)" in names
    assert "User Mode Linux" in names
    assert any("docker: no daemon answers" in note for note in found.notes)
    assert any("not virtualisation" in note for note in found.notes)
    assert "after 60 ms of idling" in found.caption


def test_the_table_shows_no_control_characters_of_the_file() -> None:
    out = io.StringIO()
    table.show(table.Table("c", ["", "x"], [["\033[2Jevil", "1"]]), out)
    assert "\033" not in out.getvalue()
