"""`make test` counts honestly: what did not run has failed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))
import suites

RUN = [sys.executable, "tests/suites.py"]
ROOT = Path(__file__).parent.parent.parent


def test_a_suite_that_cannot_run_counts_as_failed() -> None:
    done = subprocess.run(
        [*RUN, "no-such-suite"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "0 passed, 1 failed, 0 skipped"


def test_a_suite_whose_needs_are_not_installed_is_said_not_to_have_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(suites.NEEDS, "fuzz", "minirt_needs_no_such_thing")
    assert suites.run("fuzz") == suites.Count(skipped=1)
    assert "not run: minirt_needs_no_such_thing" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("status", "failures", "failed"), [(0, 0, 0), (1, 1, 1), (1, 0, 1), (2, 1, 2)]
)
def test_a_status_that_the_report_does_not_explain_is_a_failure(
    status: int, failures: int, failed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = f'<testsuite tests="2" failures="{failures}" errors="0" skipped="0"/>'
    program = (
        f"open({str(tmp_path / 'x.xml')!r}, 'w').write({report!r}); raise SystemExit({status})"
    )
    monkeypatch.setattr(suites, "REPORTS", tmp_path)
    monkeypatch.setattr(suites, "_command", lambda *_: [sys.executable, "-c", program])
    assert suites.run("x").failed == failed
