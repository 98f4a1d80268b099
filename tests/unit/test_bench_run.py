"""The command line of the benchmarks, and what happens before anything is measured."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench import elevated, options, run, suites
from bench.samples import Sample, Writer
from minirt.host import elevate

ROOT = Path(__file__).parent.parent.parent


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-B", "-m", "bench", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_list_names_subjects_and_metrics() -> None:
    listed = bench("run", "--list").stdout.split()
    assert {"process", "step6-none", "runc", "microvm", "start", "tracing"} <= set(listed)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "--metrics", "speed"), "there is no metric speed: choose among start"),
        (("run", "--subjects", "rkt"), "there is no subject rkt: choose among process"),
        (("run", "--samples", "0"), "at least 1"),
        (("run", "--samples", "many"), "--samples: many: a whole number of at least 1"),
        (("run", "--subjects", ""), "--subjects: at least one name is wanted"),
        (("run", "--metrics", ","), "--metrics: at least one name is wanted"),
        (("run", "--out", "README.md"), "README.md exists already: name a new file"),
        (("run", "--out", "none/x"), "none/x is in no directory: name a new file"),
        (("run", "--out", "README.md/x"), "README.md/x is in no directory: name a new file"),
        (("report", "README.md"), "README.md: not a results file: line 1 is no JSON; measure anew"),
        (("compare", "a", "b", "--threshold", "x"), "x: a ratio of at least 1 is wanted"),
        (("run", "--suite", "vms"), "--suite: there is no suite vms: choose containers or oci"),
        (("run", "--suite", "oci", "--metrics", "start"), "no metric start: choose among oci-run"),
        (("run", "--suite", "oci", "--subjects", "step6"), "there is no subject step6: choose"),
        (("walk",), "usage: python -m bench COMMAND"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_measured(
    arguments: tuple[str, ...], said: str
) -> None:
    done = bench(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_metrics_are_measured_once_each_in_the_order_asked_for() -> None:
    chosen = suites.CONTAINERS.choose_metrics(["starts", "start", "starts"])
    assert [metric.name for metric in chosen] == ["starts", "start"]
    assert "phases" in [metric.name for metric in suites.CONTAINERS.choose_metrics(None)]


def test_a_suite_has_its_own_subjects_metrics_and_number_of_samples() -> None:
    listed = bench("run", "--suite", "oci", "--list").stdout.split()
    assert {"minirt-oci", "runc", "oci-run", "oci-crowd"} <= set(listed)
    assert not {"step6", "starts"} & set(listed)
    args = options.parse(["--suite", "oci"])
    assert (args.suite, args.samples) == (suites.OCI, suites.OCI.samples)
    assert options.parse(["--suite", "oci", "--samples", "7"]).samples == 7


def test_without_options_it_is_quick_with_thirty_samples() -> None:
    args = options.parse([])
    assert (args.full, args.samples, args.sudo) == (False, 30, False)


def test_what_measures_as_root_is_the_same_command_with_the_file_to_write(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(elevate, "prefix", lambda: ["echo"])
    assert elevated.elevated(["--full", "--sudo"], tmp_path / "r.jsonl") == 0
    words = capfd.readouterr().out.split()
    assert words[-6:] == ["bench", "run", "--full", "--no-report", "--out", f"{tmp_path}/r.jsonl"]


def test_where_nobody_can_become_root_it_says_what_that_means(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(elevate, "prefix", lambda: None)
    assert elevated.elevated([], tmp_path / "r.jsonl") is None
    assert "without root" in capsys.readouterr().err


def finish(file: Path, samples: list[Sample], *arguments: str) -> int:
    with Writer(file, {}) as writer:
        for sample in samples:
            writer.add(sample)
        writer.finish()
    return run.finish(options.parse(arguments), file)


def test_only_a_run_of_everything_is_the_latest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(run, "OUT", tmp_path)
    one = Sample("start", "process", 0.1, "s", 0)
    assert finish(tmp_path / "a.jsonl", []) == run.FAILED
    assert finish(tmp_path / "b.jsonl", [one], "--metrics", "start") == 0
    assert {path.name for path in tmp_path.iterdir()} == {"a.jsonl", "b.jsonl", "b.html"}
    assert finish(tmp_path / "c.jsonl", [one]) == 0
    assert (tmp_path / "report.html").is_file()
    assert (tmp_path / "latest.jsonl").resolve().name == "c.jsonl"
