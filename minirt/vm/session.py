"""What is known of a running guest: marks with the host's time of arrival, and what it printed.

A guest's own clock cannot be compared with the host's, and wanders when emulated: a mark is
stamped when the host reads it.

spawn   QEMU was started                    start   the command is about to be executed
kernel  the kernel logged its first line    end     the command has ended
init    the guest's first process runs      exit    QEMU has ended
ready   it waits for a request
"""

from __future__ import annotations

import os
import select
from time import monotonic_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.vm.qemu import Qemu

SAYS, INIT = "minirt: ", "init"
INIT_LINE = f"\n{SAYS}{INIT}".encode()
PANIC = "Kernel panic"
CHUNK = 1 << 16


class Record:
    """The marks and texts of one guest; fed with what arrives, at CLOCK_MONOTONIC ns `at`."""

    __slots__ = ("_answer", "console", "marks", "output", "release", "status")

    def __init__(self, started: int) -> None:
        self.marks = {"spawn": started}
        self.console = bytearray(b"\n")
        self.output = bytearray()
        self.release = ""
        self.status = -1
        self._answer = bytearray()

    def on_console(self, data: bytes, at: int) -> None:
        self._mark("kernel", at)
        self.console += data
        if INIT_LINE in self.console:
            self._mark("init", at)

    def on_control(self, data: bytes, at: int) -> None:
        """Answers of the guest's init, a line each: `ready RELEASE`, `start`, `end STATUS`."""
        *lines, rest = (self._answer + data).split(b"\n")
        self._answer = rest
        for line in lines:
            word, _, value = line.decode(errors="replace").partition(" ")
            if word == "ready":
                self.release = value
            if word == "end":
                self.status = int(value)
            self._mark(word, at)

    def on_output(self, data: bytes, _at: int) -> None:
        self.output += data

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
        self._handlers = {
            qemu.console: self.record.on_console,
            qemu.control.fileno(): self.record.on_control,
            qemu.output.fileno(): self.record.on_output,
        }
        self._poll = select.poll()
        for fd in (*self._handlers, qemu.pidfd):
            self._poll.register(fd, select.POLLIN)

    def wait_for(self, mark: str, seconds: float) -> bool:
        """Attend until `mark` is there; False when the VM ended without it, or time is over."""
        deadline = monotonic_ns() + int(seconds * 1e9)
        marks = self.record.marks
        while mark not in marks and "exit" not in marks and monotonic_ns() < deadline:
            self._attend((deadline - monotonic_ns()) / 1e6)
        return mark in marks

    def ask(self, request: bytes) -> None:
        """Send one line of shell to the guest's init."""
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
