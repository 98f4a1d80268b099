"""Run test suites one after the other, all of them, and sum them up.

`python tests/suites.py SUITE…`. A linter counts as one test. What a suite printed is shown as it
runs; the sum stands alone on the last line. Exit status 1 if anything failed, or nothing ran.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree as ET

from minirt.host import elevate

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "out" / "tests"
PYTHON = [sys.executable, "-B", "-m"]
LINTERS = {
    "lint": (
        [*PYTHON, "ruff", "check", "."],
        [*PYTHON, "ruff", "format", "--check", "."],
        [str(Path(sys.executable).parent / "lint-imports")],
    ),
    "types": ([*PYTHON, "mypy"],),
    "bare": (["bash", "tests/bare/run"],),
    "fuzz": (
        [sys.executable, "-B", "tests/fuzz/guided.py", "-runs=100000", "-verbosity=0",
         "-print_final_stats=1"],
    ),
}  # fmt: skip
# What cannot be installed on every machine.
NEEDS = {"fuzz": "atheris"}
AS_ROOT = ("kernel", "vm", "lessons", "engines", "engines-all")
# Engines start daemons, and those others: whatever ends this suite ends the namespace's processes.
CONFINED = {"engines", "engines-all"}
CONFINE = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
# Of these directories a part is too slow for each time, and is said to be left out.
WHOLE = {"engines-all": "engines"}
# In a guest, since this machine's hierarchies are what they are.
BACKENDS = {"cgroup2": ["auto"], "cgroup2-qemu": ["qemu", "--everything"]}
BESIDE = {"unit": ["tests/quality", "tests/fuzz"]}  # directories that a suite runs besides its own


@dataclass
class Count:
    """What came of one suite, or of all."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(
            self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped
        )

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def run(suite: str) -> Count:
    """One suite; a command that cannot even start counts as a failed test."""
    if suite in NEEDS and find_spec(NEEDS[suite]) is None:
        print(f"{suite}: not run: {NEEDS[suite]} is not installed")
        return Count(skipped=1)
    if suite in LINTERS:
        return sum((_check(command) for command in LINTERS[suite]), Count())
    return _pytest(suite)


def _check(command: list[str]) -> Count:
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=False)
    return Count(failed=1) if done.returncode else Count(passed=1)


def _pytest(suite: str) -> Count:
    report = REPORTS / f"{suite}.xml"
    report.unlink(missing_ok=True)
    # Without a way to become root the tests run as they are, and fail saying so.
    root = elevate.prefix() if suite in AS_ROOT else []
    confined = CONFINE if suite in CONFINED else []
    passed = [f"MINIRT_FUZZ={os.environ.get('MINIRT_FUZZ', '1')}"]  # what sudo would drop
    command = [*(root or []), "env", *passed, *confined, *_command(suite, report)]
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=False)
    counted = _count(report)
    unexplained = done.returncode not in (0, 1 if counted.failed else 0)
    return counted + Count(failed=1) if unexplained or not report.exists() else counted


def _command(suite: str, report: Path) -> list[str]:
    if suite in BACKENDS:
        return [*PYTHON, "vm.harness", "--backend", *BACKENDS[suite], "--junit", str(report)]
    where = [f"tests/{WHOLE.get(suite, suite)}", *BESIDE.get(suite, ())]
    where += ["--slow"] if suite in WHOLE else []
    return [*PYTHON, "pytest", "-q", *where, f"--junitxml={report}"]


def _count(report: Path) -> Count:
    """The sum over the `testsuite` elements of a JUnit report."""
    if not report.exists():
        return Count()
    _take_back(report)
    total = Count()
    for suite in ET.parse(report).iter("testsuite"):  # noqa: S314  (our own report)
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped = int(suite.get("skipped", 0))
        total += Count(int(suite.get("tests", 0)) - failed - skipped, failed, skipped)
    return total


def _take_back(report: Path) -> None:
    """Make a file that root left in the caller's directory the caller's."""
    if report.stat().st_uid != os.geteuid():
        content = report.read_bytes()
        report.unlink()
        report.write_bytes(content)


def main(suites: list[str]) -> int:
    """Run them; print one line for each, then the sum."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    lines, total = [], Count()
    for suite in suites:
        print(f"\n{suite}", flush=True)
        started = time.monotonic()
        count = run(suite)
        total += count
        lines.append(f"{suite:<12} {time.monotonic() - started:6.1f} s   {count}")
    print("", *lines, "", total, sep="\n")
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
