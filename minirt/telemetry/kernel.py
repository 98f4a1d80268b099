"""Kernel truth: what the kernel saw this process and its children do, from tracefs.

A private instance of the event tracer, in a tracefs that is mounted nowhere (a descriptor of
fsmount(2)), so the host's mounts and its own tracing are left alone. Times are CLOCK_MONOTONIC,
as the recorder's are. See Documentation/trace/events.rst; it needs root.
"""

from __future__ import annotations

import fcntl
import os

from minirt.errors import HostError, KernelError
from minirt.linux.mount import make
from minirt.telemetry import kernel_events
from minirt.telemetry.kernel_calls import EVENTS, FILTERED, SYSCALLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from minirt.spans import Recorder, Span

PREFIX = "minirt-"
INSTANCES = "instances"


class Truth:
    """One private tracer. `start` before the clone, `stop` after exec, then `collect`.

    The calling process is followed, with every process it makes from then on. HostError when
    this machine does not let us.
    """

    __slots__ = ("_directory", "_instances", "_name", "_pipes", "_switch", "pid")

    def __init__(self) -> None:
        self.pid = 0  # of the followed process, as the tracer counts: in the first pid namespace
        self._instances = self._directory = self._switch = -1
        self._name = f"{PREFIX}{os.getpid()}-{os.urandom(4).hex()}"
        self._pipes: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> None:
        """Make the tracer and switch it on: about 10 ms."""
        try:
            self._instances = _open_instances()
            self._make()
            self._follow()
        except OSError as error:
            self.close()
            raise HostError(
                f"the kernel's tracer cannot be used: {error.strerror}",
                hint="leave --kernel out, or run as root on a kernel with tracefs events",
            ) from None

    def stop(self) -> None:
        """Record no more: a microsecond, so that the program inside is not slowed down."""
        if self._switch >= 0:
            os.write(self._switch, b"0")

    def collect(self, recorder: Recorder, init: int) -> None:
        """Add the spans of what was seen, and remove the tracer. `init` is init's pid here.

        The recorder must have the spans of the shared page already: a call becomes the child of
        the innermost span of its process that was open from its start to its end.
        """
        self.stop()
        if self._directory >= 0:
            formats = {name: self._read(f"events/{name}/format") for name in EVENTS}
            pages = [page for pipe in self._pipes for page in kernel_events.pages(pipe)]
            lost = sum(_lost(self._read(f"{cpu}/stats")) for cpu in self._cpus())
            seen = kernel_events.parse(pages, formats)
            kernel_events.attach(recorder, seen, launcher=self.pid, init=init, lost=lost)
        self.close()

    def close(self) -> None:
        """Remove the tracer; again is fine. It waits for an RCU grace period, 10 to 100 ms."""
        self.stop()
        for fd in (*self._pipes, self._switch, self._directory):
            if fd >= 0:
                os.close(fd)
        self._pipes = []
        if self._directory >= 0:
            os.rmdir(self._name, dir_fd=self._instances)
        if self._instances >= 0:
            os.close(self._instances)
        self._instances = self._directory = self._switch = -1

    def _make(self) -> None:
        # The lock keeps a concurrent sweep away until an open pipe makes the instance busy.
        fcntl.flock(self._instances, fcntl.LOCK_EX)
        _sweep(self._instances)
        os.mkdir(self._name, 0o700, dir_fd=self._instances)
        self._directory = os.open(self._name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._instances)
        for cpu in self._cpus():
            flags = os.O_RDONLY | os.O_NONBLOCK
            self._pipes.append(self._open(f"{cpu}/trace_pipe_raw", flags))
        fcntl.flock(self._instances, fcntl.LOCK_UN)

    def _follow(self) -> None:
        self._write("trace_clock", "mono")
        self.pid = self._own_pid()
        self._write("options/event-fork", "1")
        self._write("set_event_pid", str(self.pid))
        for event in FILTERED:
            wanted = " || ".join(f"id == {number}" for number in SYSCALLS)
            self._write(f"events/{event}/filter", wanted)
        for event in EVENTS:
            self._write(f"events/{event}/enable", "1")
        self._switch = self._open("tracing_on", os.O_WRONLY)

    def _own_pid(self) -> int:
        """Our pid as the tracer counts: in a pid namespace it is not os.getpid()."""
        self._write("trace_marker", "minirt")
        return kernel_events.writer([p for pipe in self._pipes for p in kernel_events.pages(pipe)])

    def _cpus(self) -> list[str]:
        listed = self._open("per_cpu", os.O_RDONLY | os.O_DIRECTORY)
        try:
            return [f"per_cpu/{name}" for name in sorted(os.listdir(listed))]
        finally:
            os.close(listed)

    def _open(self, path: str, flags: int) -> int:
        return os.open(path, flags | os.O_CLOEXEC, dir_fd=self._directory)

    def _write(self, path: str, text: str) -> None:
        fd = self._open(path, os.O_WRONLY)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)

    def _read(self, path: str) -> str:
        fd = self._open(path, os.O_RDONLY)
        try:
            return os.read(fd, 1 << 16).decode()
        finally:
            os.close(fd)


def watch(recorder: Recorder) -> Callable[[], None]:
    """Follow this process until the container's program runs; returns what adds the spans.

    Call that when the container has ended, or could not be made.
    """
    truth = Truth()
    truth.start()
    before = recorder.sink

    def sink(moment: str, span: Span) -> None:
        if moment == "end" and span.name == "exec":
            truth.stop()
        if before is not None:
            before(moment, span)

    def collect() -> None:
        recorder.sink = before
        pids = [span.attributes["process.pid"] for span in recorder.spans if span.name == "clone3"]
        truth.collect(recorder, int(str(pids[0])) if pids else 0)

    recorder.sink = sink
    return collect


def sweep() -> None:
    """Remove the tracers of commands that were killed; OSError where there is no tracefs."""
    instances = _open_instances()
    try:
        fcntl.flock(instances, fcntl.LOCK_EX)
        _sweep(instances)
    finally:
        os.close(instances)


def _sweep(instances: int) -> None:
    listed = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=instances)
    try:
        stale = [name for name in os.listdir(listed) if name.startswith(PREFIX)]
    finally:
        os.close(listed)
    for name in stale:
        try:
            os.rmdir(name, dir_fd=instances)
        except OSError:  # EBUSY: its command is alive and holds it open
            continue


def _open_instances() -> int:
    """The directory of instances in a tracefs of our own, for reading."""
    try:
        mounted = make("tracefs")
    except KernelError as error:
        raise OSError(error.errno, os.strerror(error.errno)) from None
    try:
        return os.open(INSTANCES, os.O_RDONLY | os.O_DIRECTORY, dir_fd=mounted)
    finally:
        os.close(mounted)


def _lost(stats: str) -> int:
    """How many events one CPU's buffer had no room for."""
    counts = dict(line.split(": ", 1) for line in stats.splitlines() if ": " in line)
    return int(counts.get("overrun", 0)) + int(counts.get("dropped events", 0))
