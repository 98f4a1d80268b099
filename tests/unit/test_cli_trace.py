"""`minirt trace`, as it is called."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import sample

from minirt.telemetry import otlp_file


def minirt(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "minirt", *arguments]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, input=stdin, timeout=60
    )


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = str(tmp_path / "t.jsonl")
    otlp_file.append(path, sample.trace(error="EINVAL"))
    otlp_file.append(path, sample.trace())
    return path


def test_show_draws_the_newest_trace_or_all(file: str) -> None:
    newest = minirt("trace", "show", file)
    assert (newest.returncode, newest.stdout.count("minirt run")) == (0, 1)
    assert "EINVAL" not in newest.stdout
    assert minirt("trace", "show", "--all", file).stdout.count("minirt run") == 2


def test_show_puts_several_files_on_one_axis(file: str, tmp_path: Path) -> None:
    other = str(tmp_path / "vm.jsonl")
    otlp_file.append(other, sample.trace(program_takes=10**9))
    text = minirt("trace", "show", file, other).stdout
    assert "\nt.jsonl\n" in text
    assert "\nvm.jsonl\n" in text


def test_invocations_of_one_trace_are_one_trace(tmp_path: Path) -> None:
    path = str(tmp_path / "t.jsonl")
    whole = sample.trace()
    for spans in (whole.spans[:3], whole.spans[3:]):
        part = type(whole)(whole.trace_id, whole.resource)
        part.spans = spans
        otlp_file.append(path, part)
    text = minirt("trace", "show", path).stdout
    assert text.count("minirt run") == 1
    assert "nft" in text


def test_a_trace_comes_from_a_pipe_too(file: str) -> None:
    with open(file, encoding="utf-8") as opened:
        assert "clone3" in minirt("trace", "show", "-", stdin=opened.read()).stdout


def test_html_and_chrome_go_to_a_file_or_stdout(file: str, tmp_path: Path) -> None:
    assert minirt("trace", "html", file).stdout.startswith("<!DOCTYPE html>")
    output = tmp_path / "t.json"
    assert minirt("trace", "chrome", file, "-o", str(output)).returncode == 0
    assert len(json.loads(output.read_text())["traceEvents"]) > 7


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        ("", "there is no trace in it"),
        ("{}\nnot json\n", "line 2 is not a trace"),
        ("[1]\n", "line 1 is not a trace"),
        ('{"resourceSpans": [{"scopeSpans": "x"}]}\n', "line 1 is not a trace"),
        ("[" * 100_000, "line 1 is not a trace"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "t.jsonl"
    if content is not None:
        path.write_text(content)
    ran = minirt("trace", "show", str(path))
    assert ran.returncode == 125
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_reader_that_stops_early_is_no_error(file: str) -> None:
    command = f"{sys.executable} -m minirt trace html {file} | head -c 10"
    shell = ["bash", "-o", "pipefail", "-c", command]
    ran = subprocess.run(shell, check=False, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_help_has_examples() -> None:
    assert "examples:" in minirt("--help").stdout
    assert "examples:" in minirt("trace", "--help").stdout
