"""What is known of a running guest: marks with the host's time of arrival, and what it printed.

A guest's own clock cannot be compared with the host's, and wanders when emulated: a mark is
stamped when the host reads it.

spawn   QEMU was started                    ready    it waits for a request
kernel  the kernel logged its first line    network  its network device has its address
init    the guest's first process runs      exit     QEMU has ended
"""

from __future__ import annotations

import contextlib
import os
import select
from functools import partial
from time import monotonic_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from minirt.vm.job import Job
    from minirt.vm.qemu import Qemu

SAYS, INIT = "minirt: ", "init"
INIT_LINE = f"\n{SAYS}{INIT}".encode()
PANIC = "Kernel panic"
CHUNK = 1 << 16


class Record:
    """The marks and texts of one guest; fed with what arrives, at CLOCK_MONOTONIC ns `at`."""

    __slots__ = ("_answer", "console", "jobs", "marks", "release")

    def __init__(self, started: int) -> None:
        self.marks = {"spawn": started}
        self.console = bytearray(b"\n")
        self.release = ""
        self.jobs: dict[int, Job] = {}  # by channel: those that run, and the last of each
        self._answer = bytearray()

    def on_console(self, data: bytes, at: int) -> None:
        self._mark("kernel", at)
        self.console += data
        if INIT_LINE in self.console:
            self._mark("init", at)

    def on_control(self, data: bytes, at: int) -> None:
        """Answers of the guest's init, a line each (data/guest-init.sh)."""
        *lines, rest = (self._answer + data).split(b"\n")
        self._answer = rest
        for line in lines:
            word, *values = line.decode(errors="replace").split(" ")
            if word == "start":
                self.jobs[int(values[0])].started = at
            elif word == "end":
                job = self.jobs[int(values[0])]
                job.status, job.ended = int(values[1]), at
            else:
                self._mark(word, at)
                self.release = values[0] if word == "ready" else self.release

    def on_output(self, channel: int, data: bytes, at: int) -> None:
        self.jobs[channel].on_output(data, at)

    def _mark(self, name: str, at: int) -> None:
        """The first time counts: later the command itself may write to the console."""
        self.marks.setdefault(name, at)

    def last_words(self) -> str:
        """Why the guest ended, as its init, else its kernel, put it; "" when it said nothing."""
        lines = [line.strip() for line in self.console.decode(errors="replace").splitlines()]
        init = [line.removeprefix(SAYS) for line in lines if line.startswith(SAYS)]
        silent = ("", INIT, SAYS + INIT)
        panic = [line for line in lines if PANIC in line]
        said = [line for line in (*lines, *panic, *init) if line not in silent]
        return said[-1] if said else ""


class Session:
    """Attends to a running VM until something has happened in it."""

    __slots__ = ("_handlers", "_poll", "qemu", "record")

    def __init__(self, qemu: Qemu) -> None:
        self.qemu = qemu
        self.record = Record(qemu.started)
        self._handlers: dict[int, Callable[[bytes, int], None]] = {
            qemu.console: self.record.on_console,
            qemu.control.fileno(): self.record.on_control,
        }
        for channel, output in enumerate(qemu.outputs, 1):
            self._handlers[output.fileno()] = partial(self.record.on_output, channel)
        self._poll = select.poll()
        for fd in (*self._handlers, qemu.pidfd):
            self._poll.register(fd, select.POLLIN)

    @property
    def alive(self) -> bool:
        """Whether QEMU was running when it was last attended to."""
        return "exit" not in self.record.marks

    def wait_for(self, mark: str, seconds: float) -> bool:
        """Attend until `mark` is there; False when the VM ended without it, or time is over."""
        return self.wait_until(lambda: mark in self.record.marks, seconds)

    def wait_until(self, happened: Callable[[], bool], seconds: float) -> bool:
        """Attend until `happened`; False when the VM ended before, or time is over."""
        deadline = monotonic_ns() + int(seconds * 1e9)
        while not happened() and self.alive and monotonic_ns() < deadline:
            self._attend((deadline - monotonic_ns()) / 1e6)
        return happened()

    def ask(self, request: bytes) -> None:
        """Send one line of shell to the guest's init, if there still is one."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.qemu.control.sendall(request + b"\n")

    def _attend(self, milliseconds: float) -> None:
        ready = [fd for fd, _events in self._poll.poll(max(milliseconds, 0))]
        for fd in ready:
            if fd in self._handlers:
                self._read(fd)
        if self.qemu.pidfd in ready:
            at = monotonic_ns()
            # Whoever held the other ends is gone, so everything can be read to its end.
            for fd in list(self._handlers):
                while self._read(fd):
                    pass
            self.record.marks["exit"] = at

    def _read(self, fd: int) -> bool:
        """Take in what has arrived; False at the end of the stream."""
        if fd not in self._handlers:
            return False
        try:
            data = os.read(fd, CHUNK)
        except ConnectionResetError:  # QEMU died with something of ours unread
            data = b""
        if data:
            self._handlers[fd](data, monotonic_ns())
            return True
        self._poll.unregister(fd)
        del self._handlers[fd]
        return False
