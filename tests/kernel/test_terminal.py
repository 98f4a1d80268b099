"""A person at a terminal: the test holds the master of a real pty."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from typing import TYPE_CHECKING

import pytest
from steps import PYTHON

if TYPE_CHECKING:
    from typing import Self

STEPS = pytest.mark.parametrize("step", [1, 2, 3, 6])
NONE = {6: ("--network", "none")}
PATIENCE_S = 10.0
ROWS, COLUMNS = 33, 77


class Person:
    """A step started from a terminal of ROWS x COLUMNS, and what is on its screen."""

    def __init__(self, step: int, *command: str, **options: object) -> None:
        self.master, self.slave = pty.openpty()
        self.resize(ROWS, COLUMNS)
        self.before = termios.tcgetattr(self.slave)
        controlled = [] if "stdin" in options else ["setsid", "--ctty"]
        words = [*PYTHON, "-m", f"minirt.step{step}", "--quiet", *NONE.get(step, ()), *command]
        self.process = subprocess.Popen(
            [*controlled, *words],
            **{"stdin": self.slave, "stdout": self.slave, "stderr": self.slave, **options},
            start_new_session=not controlled,
        )
        self.screen = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:  # the test has failed
            self.process.terminate()
            self.process.terminate()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def types(self, text: str) -> None:
        os.write(self.master, text.encode())

    def sees(self, text: str) -> bool:
        """Whether `text` comes to the screen, after what was looked for before."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.screen and time.monotonic() < deadline:
            if select.select([self.master], [], [], 0.05)[0]:
                self.screen += os.read(self.master, 65536).decode()
        found = text in self.screen
        self.screen = self.screen.partition(text)[2] if found else self.screen
        return found

    def leaves(self) -> int:
        """The exit status; the terminal must be as it was."""
        status = self.process.wait(PATIENCE_S)
        assert termios.tcgetattr(self.slave) == self.before
        return status


# The typed text is echoed; only what runs prints it without the quotes.
SLEEPS = "sh -c 'echo run''ning; exec sleep 60'\n"


def shell(step: int) -> Person:
    return Person(step, "--", "/bin/sh", "-c", "PS1='you> ' exec /bin/sh -i")


@STEPS
def test_the_container_has_a_terminal_of_its_own(step: int) -> None:
    with Person(
        step, "--", "/bin/sh", "-c", "tty; ls -l /proc/self/fd/0 | grep -o pts; exit 3"
    ) as you:
        assert you.sees("pts")
        assert os.ttyname(you.slave) not in you.screen
        assert you.leaves() == 3


@STEPS
def test_it_has_the_callers_size_and_follows_it(step: int) -> None:
    script = "stty size; trap 'stty size' WINCH; echo ready; while :; do sleep 0.1; done"
    with Person(step, "--", "/bin/sh", "-c", script) as you:
        assert you.sees(f"{ROWS} {COLUMNS}")
        assert you.sees("ready")
        you.resize(10, 20)
        assert you.sees("10 20")
        you.types("\3")
        assert you.leaves() == 128 + signal.SIGINT


@STEPS
def test_ctrl_c_interrupts_the_command_and_not_the_shell(step: int) -> None:
    with shell(step) as you:
        assert you.sees("you> ")
        you.types(SLEEPS)
        assert you.sees("running")
        you.types("\3")
        you.types("echo status $?\n")
        assert you.sees("status 130")
        you.types("exit 7\n")
        assert you.leaves() == 7


@STEPS
def test_job_control_works(step: int) -> None:
    """A shell without a controlling terminal says "can't access tty; job control turned off"."""
    with shell(step) as you:
        assert you.sees("you> ")
        you.types(SLEEPS)
        assert you.sees("running")
        you.types("\x1a")
        assert you.sees("Stopped")
        you.types("bg; jobs\n")
        assert you.sees("Running")
        you.types("kill %1; wait; exit\n")
        you.leaves()
        assert "tty" not in you.screen


@STEPS
def test_ctrl_c_ends_a_command_that_handles_no_signal(step: int) -> None:
    """The kernel drops SIGINT for a process 1 without a handler."""
    with Person(step, "--", "awk", 'BEGIN { print "ready"; getline <"/dev/tty" }') as person:
        person.sees("ready")
        person.types("\x03")
        assert person.process.wait(PATIENCE_S) == 128 + signal.SIGINT


def test_without_a_command_there_is_a_shell() -> None:
    with Person(3) as you:
        assert you.sees("# ")
        you.types("echo $$ $0; exit\n")
        assert you.sees("1 /bin/sh")
        assert you.leaves() == 0


def test_ctrl_d_leaves_the_shell() -> None:
    with shell(3) as you:
        assert you.sees("you> ")
        you.types("\4")
        assert you.leaves() == 0


def test_the_terminal_is_restored_after_a_signal() -> None:
    with shell(3) as you:
        assert you.sees("you> ")
        for _ in range(2):
            you.process.send_signal(signal.SIGTERM)
        assert you.leaves() == 128 + signal.SIGTERM


def test_hanging_up_ends_the_container() -> None:
    with Person(3, "--", "sh", "-c", "echo ready; exec sleep 60") as you:
        assert you.sees("ready")
        you.process.send_signal(signal.SIGHUP)
        assert you.leaves() == 128 + signal.SIGHUP


def test_output_that_is_redirected_does_not_go_through_the_terminal() -> None:
    script = "echo out; echo problem >&2; [ -t 0 ] && [ ! -t 1 ] && [ -t 2 ]"
    with Person(3, "--", "sh", "-c", script, stdout=subprocess.PIPE) as you:
        assert you.process.stdout.read() == b"out\n"
        assert you.sees("problem")
        assert you.leaves() == 0
        you.process.stdout.close()


def test_a_terminal_on_output_only_is_not_given_to_the_container() -> None:
    """Whoever holds it could push input into the caller's shell (TIOCSTI)."""
    with Person(
        3, "--", "sh", "-c", "tty; readlink /proc/self/fd/1", stdin=subprocess.DEVNULL
    ) as you:
        assert you.sees("not a tty")
        assert you.leaves() in (0, 1)


def test_much_output_is_complete() -> None:
    with Person(3, "--", "seq", "20000") as you:
        assert you.sees("\n19999\r\n20000\r\n")
        assert you.leaves() == 0


def test_the_containers_terminal_belongs_to_its_user() -> None:
    with Person(6, "--userns", "--", "sh", "-c", "stat -c %u $(tty); mesg n; echo done") as you:
        assert you.sees("0\r\n")
        assert you.sees("done")
        assert you.leaves() == 0
