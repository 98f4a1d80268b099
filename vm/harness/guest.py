"""The process of a guest, and the two streams it speaks through: its console and a channel.

On the channel each line is a word and a value: `ready RELEASE`, then, when it has been given its
order, `cgroup MAGIC`, `junit BASE64` and `end STATUS`. From then on the console is shown, too.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import select
import signal
import socket
import subprocess
import sys
from time import monotonic
from typing import TYPE_CHECKING

from minirt.linux.process import PR_SET_PDEATHSIG, prctl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self

CHUNK = 1 << 16
LAST_LINES = 3
PANIC = "Kernel panic"
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Machine:
    """How to start a guest.

    `command_line` makes it for a channel that is descriptor `fd`; `boot_seconds` is how long it
    may take to be ready; `fds` are further descriptors that it inherits; `tests` are for it;
    `never` are words on its console that say that it cannot boot here, each with the reason.
    """

    __slots__ = ("boot_seconds", "command_line", "fds", "name", "never", "tests")

    def __init__(
        self,
        name: str,
        command_line: Callable[[int], list[str]],
        boot_seconds: float,
        fds: Sequence[int] = (),
        tests: Sequence[str] = (),
        never: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.command_line = command_line
        self.boot_seconds = boot_seconds
        self.fds = fds
        self.tests = tests
        self.never = never or {}


class Guest:
    """A running guest, in a `with`: at its end the process and all it started are gone.

    When this process dies, however it does, the kernel kills the guest.
    """

    __slots__ = (
        "_channel", "_console", "_handlers", "_never", "_ordered", "_partial", "_stack", "process",
        "words",
    )  # fmt: skip

    def __init__(self, machine: Machine) -> None:
        self.words: dict[str, str] = {}
        self._partial = b""
        self._console = b""
        self._ordered = False
        self._never = machine.never
        with contextlib.ExitStack() as stack:
            self._channel, theirs = (stack.enter_context(end) for end in socket.socketpair())
            self.process = stack.enter_context(_start(machine, theirs.fileno()))
            stack.callback(self.kill)
            theirs.close()  # now the guest's alone: it ends with it
            assert self.process.stdout is not None  # noqa: S101  (PIPE)
            # By the descriptor of a stream that has not ended yet: who takes in its data. The
            # console first: what was written there before a word is older than the word.
            self._handlers = {
                self.process.stdout.fileno(): self._show,
                self._channel.fileno(): self._listen,
            }
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def kill(self) -> None:
        """End the guest with its helper processes: they are one process group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def ask(self, line: str) -> None:
        """Give the guest its order. One that has just ended is found out by what it says next."""
        with contextlib.suppress(BrokenPipeError):
            self._channel.sendall(f"{line}\n".encode())
        self._ordered = True

    def wait_for(self, word: str, seconds: float) -> bool:
        """Attend to the guest until it has said `word`; False when it ends or time is over."""
        deadline = monotonic() + seconds
        while word not in self.words and (left := deadline - monotonic()) > 0:
            if not self._attend(left):
                break
        return word in self.words

    def wait_for_end(self, seconds: float) -> bool:
        """Attend until both streams have ended; False when time is over first."""
        deadline = monotonic() + seconds
        while (left := deadline - monotonic()) > 0:
            if not self._attend(left):
                return True
        return False

    def ended(self) -> bool:
        """Whether nobody is left who could say more."""
        return not self._handlers

    def last_lines(self) -> str:
        """Where it panicked, else the end of what it wrote to its console."""
        lines = _plain(self._console).strip().splitlines()
        panics = [number for number, line in enumerate(lines) if PANIC in line]
        first = panics[0] if panics else max(len(lines) - LAST_LINES, 0)
        return "\n".join(lines[first : first + LAST_LINES])

    def never_boots(self) -> str:
        """Why a further boot would end as this one did; "" when nothing is known."""
        console = _plain(self._console)
        return next((why for words, why in self._never.items() if words in console), "")

    def _attend(self, seconds: float) -> bool:
        """Take in what arrives within that time; False when both streams have ended."""
        ready, _, _ = select.select(list(self._handlers), (), (), seconds)
        for fd in ready:
            if data := _read(fd):
                self._handlers[fd](data)
            else:
                del self._handlers[fd]
        return not self.ended()

    def _show(self, data: bytes) -> None:
        self._console += data
        if self._ordered and "end" not in self.words:
            sys.stdout.write(_plain(data))
            sys.stdout.flush()

    def _listen(self, data: bytes) -> None:
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            word, _, value = line.decode(errors="replace").strip().partition(" ")
            self.words[word] = value


def _plain(data: bytes) -> str:
    """The text, without the carriage returns and colours of a terminal."""
    return COLOURS.sub("", data.decode(errors="replace").replace("\r", ""))


def _start(machine: Machine, channel: int) -> subprocess.Popen[bytes]:
    parent = os.getpid()
    return subprocess.Popen(
        machine.command_line(channel),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={"PATH": os.defpath},
        pass_fds=(channel, *machine.fds),
        # Its own session, so its own process group: Ctrl-C is for the harness, which then ends it.
        start_new_session=True,
        preexec_fn=lambda: _die_with(parent),  # noqa: PLW1509  (this process has no threads)
    )  # fmt: skip


def _die_with(parent: int) -> None:
    """In the new process: be killed when `parent` is, and leave no core file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL, what="cannot tie the guest to the harness")
    if os.getppid() != parent:  # it died before this took effect
        os._exit(1)


def _read(fd: int) -> bytes:
    try:
        return os.read(fd, CHUNK)
    except ConnectionResetError:  # the guest died with something of ours unread
        return b""
