"""The command line of `minirt-oci`: what it refuses before it does anything."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from minirt.oci.call import GLOBAL
from minirt.oci.parser import parse
from minirt.oci.program import perform

if TYPE_CHECKING:
    from pathlib import Path

IN_CONFIG = ": the program stands in config.json"
REFUSED = {
    "run x y": f'run takes one ID; "y" is one too many{IN_CONFIG}',
    "run x ls -l": f'run takes one ID; "ls" is one too many{IN_CONFIG}',
    "create --bundle b x -- y": f'create takes one ID; "y" is one too many{IN_CONFIG}',
    "state c1 x": 'state takes one ID; "x" is one too many',
    "update --resources - c1 x": 'update takes one ID; "x" is one too many',
    "kill c1 KILL x": 'kill takes ID [SIGNAL]; "x" is one too many',
    "list extra": 'list takes no arguments; "extra" is one too many',
    "--log-format yaml list": '--log-format: "yaml" is not one of text, json',
    "--cgroup-manager x list": ('--cgroup-manager: "x" is not one of cgroupfs, systemd, disabled'),
    "run --detach=maybe x": '--detach: "maybe" is not one of true, false',
    "list --format yaml": '--format: "yaml" is not one of table, json',
    "ps -f yaml c1": '-f: "yaml" is not one of table, json',
}


@pytest.fixture
def root(tmp_path: Path) -> str:
    return str(tmp_path / "root")


@pytest.mark.parametrize("line", REFUSED)
def test_what_is_too_much_or_no_value_is_named(
    line: str, root: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert perform(["--root", root, *line.split()]) == 1
    assert capsys.readouterr().err == f"minirt-oci: {REFUSED[line]}\n"


@pytest.mark.parametrize(
    "line",
    [
        "kill c1 9", "kill --all c1 9", "kill c1 SIGKILL", "state c1", "exec c1 sh -c ls x",
        "exec --process p --detach --pid-file f c1", "ps --format json c1", "ps c1 -ef -w",
        "pause c1", "resume c1", "update --resources - c1", "update --resources=- c1",
        "delete c1", "start c1", "start -- c1", "events c1 --stats",
    ],
)  # fmt: skip
def test_engines_calls_are_taken(
    line: str, root: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They get as far as the container, which is not there."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"{}")))
    assert perform(["--root", root, *line.split()]) in (1, 255)
    assert "container c1 does not exist" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("word", "on"), [("--debug", True), ("--debug=1", True), ("--debug=f", False)]
)
def test_a_switch_takes_what_gos_flags_take(word: str, *, on: bool) -> None:
    assert parse([word], GLOBAL).on("--debug") is on


@pytest.mark.parametrize(
    ("line", "option"),
    [("run x", "--bundle DIR"), ("run --config no x", "--config FILE"),
     ("update --resources no x", "--resources FILE")],
)  # fmt: skip
def test_the_hint_names_the_option_of_the_missing_file(
    line: str, option: str, root: str, capsys: pytest.CaptureFixture[str],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert perform(["--root", root, *line.split()]) == 1
    assert option in capsys.readouterr().err


@pytest.mark.parametrize(
    ("verb", "option"),
    [("version", "--version"), ("help", "--help"), ("help run", "run --help")],
)
def test_help_and_version_may_be_said_as_verbs(
    verb: str, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert perform(verb.split()) == 0
    said = capsys.readouterr().out
    assert perform(option.split()) == 0
    assert capsys.readouterr().out == said


def test_no_line_of_help_ends_with_a_blank(capsys: pytest.CaptureFixture[str]) -> None:
    assert perform(["list", "--help"]) == 0
    assert not [line for line in capsys.readouterr().out.splitlines() if line.endswith(" ")]


def test_a_log_that_cannot_be_written_is_told_of_once(
    tmp_path: Path, root: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "no" / "log"
    words = ["--root", root, "--log", str(log)]
    assert perform([*words, "list"]) == 0
    assert perform([*words, "state", "c1"]) == 1
    told = [line for line in capsys.readouterr().err.splitlines() if "cannot write" in line]
    said = f"minirt-oci: --log: cannot write to {log}: no such file or directory"
    assert told == [said] * 2


def test_a_log_is_not_made_before_there_is_something_to_write(tmp_path: Path, root: str) -> None:
    assert perform(["--root", root, "--log", str(tmp_path / "log"), "list"]) == 0
    assert not (tmp_path / "log").exists()
