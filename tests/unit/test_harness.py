"""The harness tells a good report from a bad one, whatever its guest does.

A guest is a program that speaks on a descriptor: here a few lines of Python.
"""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from minirt.errors import HostError
from vm.harness import __main__ as harness
from vm.harness import kernel, selection, uml, verdict
from vm.harness.guest import Guest, Machine
from vm.harness.run import BootError, Order, run
from vm.harness.verdict import CGROUP2_SUPER_MAGIC, Report

ROOT = Path(__file__).parents[2]
ORDER = Order("/", ["-q"], "/var/cache/minirt")
PRELUDE = """
import os, socket, sys, time
channel = socket.socket(fileno=int(sys.argv[1]))
def say(*lines):
    for line in lines:
        channel.sendall(line.encode() + b"\\n")
"""
GOOD = """
print("of the boot", flush=True)
say("ready 6.1")
order = channel.makefile().readline()
print("of the tests", flush=True)
time.sleep(0.1)
say("cgroup 63677270", "junit PHg+PC94Pg==", f"end {3 if '-q' in order else 4}")
"""


def guest(
    program: str, *, boot_seconds: float = 10.0, never: dict[str, str] | None = None
) -> Machine:
    def command_line(channel: int) -> list[str]:
        return [sys.executable, "-I", "-c", PRELUDE + program, str(channel)]

    return Machine("a program", command_line, boot_seconds, never=never)


def junit(*cases: str) -> bytes:
    return f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>".encode()


PASSED = '<testcase name="a"/>'
SKIPPED = '<testcase name="b"><skipped message="no disk"/></testcase>'


def test_a_report_is_what_the_guest_said(capsys: pytest.CaptureFixture[str]) -> None:
    report = run(guest(GOOD), ORDER, 10)
    assert (report.status, report.junit) == (3, b"<x></x>")
    assert report.cgroup == CGROUP2_SUPER_MAGIC
    assert capsys.readouterr().out == "of the tests\n"


def test_a_guest_that_does_not_boot_is_started_once_more_and_given_up(
    capsys: pytest.CaptureFixture[str],
) -> None:
    machine = guest("print('stuck', flush=True); time.sleep(60)", boot_seconds=0.5)
    with pytest.raises(BootError, match=r"did not boot within 0\.5 s; it said:\nstuck"):
        run(machine, ORDER, 10)
    assert capsys.readouterr().err.count("starting it once more") == 1


def test_a_second_boot_that_is_ready_is_enough(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = tmp_path / "first"
    once = f"if not os.path.exists({str(first)!r}): open({str(first)!r}, 'w'); sys.exit('panic')"
    assert run(guest(once + GOOD), ORDER, 10).status == 3
    assert "ended while it booted; it said:\npanic" in capsys.readouterr().err


def test_a_guest_that_cannot_boot_here_is_not_started_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    machine = guest("sys.exit('ptrace set fp regs failed, errno = 28')", never=uml.NEVER)
    with pytest.raises(BootError, match=r"does not boot: the registers of this processor .AMX"):
        run(machine, ORDER, 10)
    assert capsys.readouterr().err == ""


def test_of_a_panic_its_first_lines_are_shown_without_colour() -> None:
    lines = ["booting", "\x1b[1mKernel panic\x1b[0m - no init", *"abcdefgh"]
    with Guest(guest(f"print({chr(10).join(lines)!r})")) as running:
        assert running.wait_for_end(10)
        assert running.last_lines() == "Kernel panic - no init\na\nb"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["-k", "memory"], ["a.py", "-k", "memory"]),
        (["-k", "tests"], ["a.py", "-k", "tests"]),
        ([], ["a.py"]),
        (["tests/unit", "-x"], ["tests/unit", "-x"]),
        (["tests/suites.py::test_a"], ["tests/suites.py::test_a"]),
    ],
)
def test_options_alone_choose_among_the_harnesss_tests(
    given: list[str], expected: list[str]
) -> None:
    assert selection.arguments(given, ["a.py"], str(ROOT)) == expected


def test_a_plugin_that_is_missing_is_said_before_a_guest_boots(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(harness, "PLUGINS", ("pytest", "pytest_nowhere"))
    assert harness.main([]) == 1
    assert "has no pytest_nowhere" in capsys.readouterr().err


def test_a_guest_that_dies_over_its_tests_is_an_error() -> None:
    with pytest.raises(HostError, match="ended without a result"):
        run(guest("say('ready 6.1'); channel.recv(99); os._exit(0)"), ORDER, 10)


def test_a_guest_that_hangs_over_its_tests_is_killed() -> None:
    started = time.monotonic()
    with pytest.raises(HostError, match="did not come to an end in 1 s: the guest is killed"):
        run(guest("say('ready 6.1'); time.sleep(60)"), ORDER, 1)
    assert time.monotonic() - started < 10


def test_what_a_guest_has_started_ends_with_it() -> None:
    program = "pid = os.fork(); say(f'child {os.getpid()}') if pid == 0 else 0; time.sleep(60)"
    with Guest(guest(program)) as running:
        assert running.wait_for("child", 10)
        pidfd = os.pidfd_open(int(running.words["child"]))
    assert ended(pidfd)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_harness_that_is_killed_leaves_no_guest(number: signal.Signals) -> None:
    program = "say('ready 6.1'); channel.recv(9); print(os.getpid(), flush=True); time.sleep(60)"
    script = (
        "import sys; sys.path.insert(0, 'tests/unit'); import test_harness as t\n"
        f"t.run(t.guest({program!r}), t.ORDER, 60)"
    )
    argv = [sys.executable, "-c", script]
    harness = subprocess.Popen(
        argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert harness.stdout is not None
    pidfd = os.pidfd_open(int(harness.stdout.readline()))
    harness.send_signal(number)
    harness.communicate(timeout=10)
    assert harness.returncode != 0
    assert ended(pidfd)


def ended(pidfd: int) -> bool:
    ready, _, _ = select.select([pidfd], (), (), 5)
    os.close(pidfd)
    return bool(ready)


def test_tests_that_passed_on_cgroup2_are_a_success() -> None:
    assert verdict.status(Report(0, junit(PASSED), CGROUP2_SUPER_MAGIC)) == 0


@pytest.mark.parametrize(
    ("report", "complaint"),
    [
        (Report(0, junit(PASSED), "1021994"), "no cgroup2 in the guest"),
        (Report(0, junit(), CGROUP2_SUPER_MAGIC), "not one test ran"),
        (Report(0, junit(SKIPPED), CGROUP2_SUPER_MAGIC), "not one test ran"),
        (Report(0, junit(PASSED, SKIPPED), CGROUP2_SUPER_MAGIC), r"skipped .*: b \(no disk\)"),
        (Report(0, b"", CGROUP2_SUPER_MAGIC), "cannot be read"),
    ],
    ids=["tmpfs", "none", "all-skipped", "one-skipped", "no-file"],
)
def test_a_success_that_proves_nothing_is_a_failure(report: Report, complaint: str) -> None:
    assert verdict.status(report) == 1
    said = list(verdict.complaints(report))
    assert any(re.search(complaint, line) for line in said), said


def test_the_status_of_pytest_is_kept() -> None:
    assert verdict.status(Report(5, junit(), CGROUP2_SUPER_MAGIC)) == 5


def test_the_full_kernel_is_the_distributions() -> None:
    assert kernel.packages("ID=debian\n", "aarch64") == ("linux-image-arm64", "")
    with pytest.raises(HostError, match="no full kernel for arch on x86_64"):
        kernel.packages("ID=arch\n", "x86_64")


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--backend", "bochs"], "invalid choice: 'bochs'"),
        (["--seconds", "soon"], "'soon' is no number of seconds above 0"),
        (["--seconds", "-1"], "'-1' is no number of seconds above 0"),
        (["--junit"], "expected one argument"),
    ],
)
def test_a_wrong_option_is_explained(option: list[str], said: str) -> None:
    argv = [sys.executable, "-m", "vm.harness", *option]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert said in done.stderr
