"""Start a program, stamp each line that it prints, and see it end: how all subjects are timed.

Every process gets a session of its own, so that Ctrl-C is for the benchmark alone, which then
ends what it has started. An instance also ends when its standard input does: nothing outlives a
benchmark that was killed.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from time import monotonic_ns
from typing import TYPE_CHECKING

from bench.subject import Run
from minirt.errors import HostError
from minirt.linux.process import Held

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Python ignores these, and a program that it starts would as well.
RESTORED = (signal.SIGPIPE, signal.SIGXFSZ, *SIGNALS)
TIMEOUT = 60.0  # seconds; what takes longer is an error, not a sample
EASE, PATIENCE = 0.3, 5.0  # seconds to end without being asked, and after SIGTERM
CHUNK = 1 << 16
# A trace that the caller has begun, and a collector, are none of the subjects' business.
UNWANTED = ("TRACEPARENT", "TRACESTATE", "OTEL_")


def environment(**more: str) -> dict[str, str]:
    """The environment of what is measured: the caller's, without what would change the work."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(UNWANTED)}
    return {**kept, **more}


class Process:
    """A program that runs from `start` on; at the end of the `with` block it has ended.

    `began` is when it was asked for. Its standard input is a pipe that ends with `close_input`.
    """

    def __init__(self, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        self.argv = list(argv)
        self.env = environment() if env is None else env
        self.pid = self.began = 0
        self.status: int | None = None
        self.cpu_s = 0.0
        self._lines: list[tuple[str, int]] = []
        self._rest = b""
        self._ours = contextlib.ExitStack()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with Held(SIGNALS):
            self.stop()
            self._ours.close()

    def start(self) -> None:
        """Begin; signals wait until it is known what there is to undo."""
        with Held(SIGNALS), contextlib.ExitStack() as theirs:
            stdin, self._input = self._pipe(theirs, 0)
            stdout, self._output = self._pipe(theirs, 1)
            self._errors = os.memfd_create("stderr")
            self._ours.callback(os.close, self._errors)
            wired = ((stdin, 0), (stdout, 1), (self._errors, 2))
            self.began = monotonic_ns()
            self.pid = os.posix_spawnp(
                self.argv[0],
                self.argv,
                self.env,
                file_actions=[(os.POSIX_SPAWN_DUP2, fd, number) for fd, number in wired],
                setsid=True,
                setsigmask=(),
                setsigdef=RESTORED,
            )

    def _pipe(self, theirs: contextlib.ExitStack, end: int) -> tuple[int, int]:
        """A new pipe: the program's end, which is number `end` of the two, and ours."""
        ends = os.pipe()
        theirs.callback(os.close, ends[end])
        self._ours.callback(os.close, ends[1 - end])
        return ends[end], ends[1 - end]

    def close_input(self) -> None:
        """What the program reads ends here."""
        # The number stays ours, so that closing it a second time cannot hit another's file.
        null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        os.dup2(null, self._input, inheritable=False)
        os.close(null)

    def write(self, text: str) -> None:
        os.write(self._input, text.encode())

    def line(self, timeout: float = TIMEOUT) -> tuple[str, int]:
        """The next line of output and its arrival; TimeoutError, or HostError at the end."""
        deadline = monotonic_ns() + int(timeout * 1e9)
        while not self._lines:
            if not self._receive(deadline):
                self.finish()
                raise HostError(f"{self.what()} ended with {self.status}: {self.complaint()}")
        return self._lines.pop(0)

    def lines(self, timeout: float = TIMEOUT) -> list[tuple[str, int]]:
        """All lines until the output ends; TimeoutError when it does not."""
        deadline = monotonic_ns() + int(timeout * 1e9)
        while self._receive(deadline):
            pass
        taken, self._lines = self._lines, []
        return taken

    def _receive(self, deadline: int) -> bool:
        """Take in what arrives next; False at the end of the output."""
        poll = select.poll()
        poll.register(self._output, select.POLLIN)
        if not poll.poll(max((deadline - monotonic_ns()) / 1e6, 0)):
            raise TimeoutError(f"{self.what()} printed nothing more, and did not end")
        data = os.read(self._output, CHUNK)
        at = monotonic_ns()
        *whole, self._rest = (self._rest + data).split(b"\n")
        self._lines += [(line.decode(errors="replace"), at) for line in whole]
        return bool(data)

    def finish(self) -> int:
        """Wait for the program's end; its exit status, negative for a signal."""
        if self.status is None:
            _pid, status, usage = os.wait4(self.pid, 0)
            self.status = os.waitstatus_to_exitcode(status)
            self.cpu_s = usage.ru_utime + usage.ru_stime
        return self.status

    def stop(self) -> None:
        """End it if it runs: by the end of its input, by a signal to tidy up, by force."""
        if not self.pid or self.status is not None:
            return
        self.close_input()
        if not self.ends_within(EASE):
            os.kill(self.pid, signal.SIGTERM)
            if not self.ends_within(PATIENCE):
                self._kill_group()
        self.finish()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def ends_within(self, seconds: float) -> bool:
        """Whether it has ended by then; `finish` says how."""
        pidfd = os.pidfd_open(self.pid)
        try:
            poll = select.poll()
            poll.register(pidfd, select.POLLIN)
            return bool(poll.poll(seconds * 1000))
        finally:
            os.close(pidfd)

    def complaint(self) -> str:
        """What it wrote to stderr, on one line; it may say which field is wrong."""
        text = os.pread(self._errors, CHUNK, 0).decode(errors="replace")
        return " ".join(text.split()) or "no reason given"

    def what(self) -> str:
        """What errors call it."""
        return os.path.basename(self.argv[0])


def run(argv: Sequence[str], env: Mapping[str, str] | None = None, **limits: float) -> Run:
    """Run a program to its end; HostError with what it said when it fails."""
    with Process(argv, env) as process:
        process.close_input()
        lines = process.lines(limits.get("timeout", TIMEOUT))
        status = process.finish()
        ended = monotonic_ns()
        if status or not lines:
            raise HostError(f"{process.what()} ended with {status}: {process.complaint()}")
        return Run(process.began, ended, status, lines, process.cpu_s)


def descendants(pid: int) -> list[int]:
    """`pid` and all processes below it."""
    found, new = [], [pid]
    while new:
        found += new
        new = [child for parent in new for child in _children(parent)]
    return found


def _children(pid: int) -> list[int]:
    try:
        threads = os.listdir(f"/proc/{pid}/task")
        return [child for thread in threads for child in _children_of_thread(pid, thread)]
    except (FileNotFoundError, ProcessLookupError):  # it ends at this moment
        return []


def _children_of_thread(pid: int, thread: str) -> list[int]:
    with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as children:
        return [int(child) for child in children.read().split()]
