"""Signals to the runtime: on the way to the program, while it runs, and twice."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest
from moments import TEARDOWN, UNTIL_IT_RUNS, Host, host
from steps import READY, Running, run

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["host"]  # a fixture
STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
# A program that handles no signal, not even on its way through a shell.
PLAIN = """exec awk 'BEGIN { print "ready"; fflush(); getline }'"""
# sleep in the background: a shell handles a signal when its foreground command has ended.
HANDLES = "trap 'echo caught; kill -9 $!; exit 9' {name}; sleep 60 >&- & echo ready; wait"
STEPS = pytest.mark.parametrize("step", [1, 2, 3, 6])
NONE = {6: ("--network", "none")}


@pytest.mark.parametrize("moment", UNTIL_IT_RUNS)
def test_a_signal_on_the_way_to_the_program_undoes_everything(host: Host, moment: str) -> None:
    done = host.interrupt(moment, signal.SIGTERM, "sleep", "60")
    assert (done.returncode, done.stderr) == (128 + signal.SIGTERM, "")
    assert host.left() == []


@pytest.mark.parametrize("span", TEARDOWN)
def test_a_signal_while_it_tidies_up_changes_nothing(host: Host, span: str) -> None:
    done = host.interrupt(f"start:{span}", signal.SIGTERM, "/bin/sh", "-c", "exit 4")
    assert (done.returncode, done.stderr) == (4, "")
    assert host.left() == []


def test_a_signal_while_a_failure_is_undone_waits_until_it_is(host: Host) -> None:
    done = host.interrupt("start:cgroup.teardown", signal.SIGTERM, "no-such-program")
    assert done.returncode in (127, 128 + signal.SIGTERM)
    assert host.left() == []


def test_a_signal_that_init_gets_as_well_does_not_unwind_the_runtimes_stack_in_it(
    host: Host,
) -> None:
    """Ctrl-C reaches every process of the terminal's group, a newborn copy of the runtime too."""
    done = host.interrupt("child", signal.SIGTERM, "/bin/sh", "-c", "exit 4")
    assert (done.returncode, done.stderr) == (4, "")


@STEPS
@pytest.mark.parametrize("number", STOP)
def test_a_program_without_a_handler_is_ended(step: int, number: signal.Signals) -> None:
    """Process 1 of a pid namespace is not even delivered what it does not handle."""
    with Running(step, *NONE.get(step, ()), script=PLAIN) as container:
        container.process.send_signal(number)
        assert container.process.wait(10) == 128 + number


WAITS = """exec {python} -c '
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
print("ready", flush=True)
signal.sigwait([signal.SIGTERM])
raise SystemExit(7)'"""


def test_a_program_that_waits_for_a_blocked_signal_gets_it() -> None:
    """As tini and dumb-init do: a blocked signal is queued even for process 1."""
    with Running(2, script=WAITS.format(python=sys.executable)) as container:
        container.process.send_signal(signal.SIGTERM)
        assert container.process.wait(10) == 7


@STEPS
@pytest.mark.parametrize("number", STOP)
def test_a_program_with_a_handler_gets_the_signal(step: int, number: signal.Signals) -> None:
    script = HANDLES.format(name=number.name.removeprefix("SIG"))
    with Running(step, *NONE.get(step, ()), script=script) as container:
        container.process.send_signal(number)
        assert container.process.wait(10) == 9
        assert container.rest() == "caught\n"


def test_a_program_that_ignores_the_signal_gets_it_once_and_is_killed_the_second_time() -> None:
    script = "trap 'echo ignored' TERM; " + READY + "while :; do sleep 60 >/dev/null & wait; done"
    with Running(3, script=script) as container:
        container.process.send_signal(signal.SIGTERM)
        assert container.process.stdout.readline() == "ignored\n"
        assert container.process.poll() is None
        container.process.send_signal(signal.SIGTERM)
        assert container.process.wait(10) == 128 + signal.SIGTERM


def test_two_signals_in_a_row_end_a_program_without_a_handler() -> None:
    with Running(3, script=PLAIN) as container:
        for _ in range(2):
            container.process.send_signal(signal.SIGINT)
        assert container.process.wait(10) == 128 + signal.SIGINT


def test_a_signal_that_the_caller_ignores_is_ignored() -> None:
    """As nohup(1) promises."""
    wrapper = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh"]
    with Running(3, wrapper=wrapper) as container:
        container.process.send_signal(signal.SIGHUP)
        container.process.send_signal(signal.SIGHUP)
        assert container.end() == 0


def test_what_the_caller_ignores_is_default_again_inside() -> None:
    wrapper = ["sh", "-c", 'trap "" HUP PIPE; exec "$@"', "sh"]
    done = run(3, "--", "grep", "SigIgn", "/proc/self/status", wrapper=wrapper)
    assert done.stdout.split() == ["SigIgn:", "0" * 16]


def test_a_stopped_container_is_ended_too() -> None:
    with Running(3, script=PLAIN) as container:
        os.kill(container.pid, signal.SIGSTOP)
        container.process.send_signal(signal.SIGTERM)
        assert container.process.wait(10) == 128 + signal.SIGTERM


@pytest.fixture
def closed_pipe() -> Iterator[int]:
    """The writing end of a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@STEPS
def test_writing_to_a_closed_pipe_ends_the_program_by_sigpipe(step: int, closed_pipe: int) -> None:
    """Python ignores SIGPIPE; inherited, it would let `yes | head -1` run for ever."""
    argv = (*NONE.get(step, ()), "--", "/bin/sh", "-c", "yes; echo $? >&2")
    done = run(step, *argv, stdout=closed_pipe, stderr=-1)
    assert done.stderr.strip() == "141"
