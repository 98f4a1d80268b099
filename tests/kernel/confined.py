"""Run a plan of mechanisms on a Python program, with no other container around it.

The program keeps the host's files, so that what stops it is the mechanism under test.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import traceback
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from minirt.codec import dumps, loads
from minirt.context import Context
from minirt.engine.phases import having, perform
from minirt.errors import KernelError, MinirtError, from_fields
from minirt.linux.clone import clone3
from minirt.linux.ending import wait
from minirt.linux.namespaces import FLAGS
from minirt.linux.process import SIGKILL, close_range, pidfd_send_signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from minirt.mechanism import Mechanism

Pipe = tuple[int, int]
# The pipes, and which end of each is the test's.
OURS = {"go": 1, "report": 0, "stdin": 1, "stdout": 0}
# A system-wide interpreter: one under a home directory is closed to the users of these tests.
SYSTEM = "/usr/bin/python3"
PYTHON = SYSTEM if os.path.exists(SYSTEM) else os.path.realpath(sys.executable)
# Runs the Python text that comes on its input; `call` makes a raw system call.
PROGRAM = """
import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def call(number, *args):
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = libc.syscall(ctypes.c_long(number), *words)
    return "ok" if result >= 0 else errno.errorcode[ctypes.get_errno()]
print("ready", flush=True)
exec(sys.stdin.read())
"""


class Confined:
    """A process that runs under a plan, waiting for Python text to run."""

    def __init__(self, pid: int, pidfd: int, pipes: dict[str, Pipe]) -> None:
        self.pid = pid
        self.pidfd = pidfd
        for name, ours in OURS.items():
            os.close(pipes[name][1 - ours])
        self._go = os.fdopen(pipes["go"][1], "w")
        self._report = os.fdopen(pipes["report"][0])
        self._stdin = os.fdopen(pipes["stdin"][1], "w")
        self._stdout = os.fdopen(pipes["stdout"][0])

    def launch(self, plan: Sequence[Mechanism], ctx: Context) -> None:
        """Perform the host's part, let the child go on, and wait until its program runs."""
        ctx.pid, ctx.pidfd = self.pid, self.pidfd
        for mechanism in having(plan, "attach"):
            perform(mechanism, "attach", ctx)
        self._go.write("go")
        self._go.close()
        failure = self._report.read()
        if failure:
            fields = loads(failure)
            assert isinstance(fields, dict)
            raise from_fields(fields)
        assert self._stdout.readline() == "ready\n"

    def status(self, name: str) -> str:
        """A line of /proc/PID/status, read from outside."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as lines:
            return next(line.partition(":")[2].strip() for line in lines if line.startswith(name))

    def caps(self, name: str) -> int:
        return int(self.status(name), 16)

    def run(self, program: str) -> str:
        """What the Python text printed; it ends the process."""
        self._stdin.write(program)
        self._stdin.close()
        return self._stdout.read().strip()

    def close(self) -> None:
        pidfd_send_signal(self.pidfd, SIGKILL)
        wait(self.pidfd)
        os.close(self.pidfd)
        for stream in (self._go, self._report, self._stdin, self._stdout):
            with suppress(BrokenPipeError):
                stream.close()


@contextmanager
def confined(*plan: Mechanism, warnings: list[str] | None = None) -> Iterator[Confined]:
    """Run the plan's phases as the engine would; raise what it would raise."""
    ctx = Context("test", "/nonexistent", "0" * 8)
    ctx.warn = ([] if warnings is None else warnings).append
    flags = 0
    for mechanism in plan:
        flags |= FLAGS.get(mechanism.namespace, 0)
    for mechanism in having(plan, "prepare"):
        perform(mechanism, "prepare", ctx)
    pipes = {name: os.pipe() for name in OURS}
    pid, pidfd = clone3(flags)
    if pid == 0:
        _child(plan, ctx, pipes)
    process = Confined(pid, pidfd, pipes)
    try:
        process.launch(plan, ctx)
        yield process
    finally:
        process.close()


def _child(plan: Sequence[Mechanism], ctx: Context, pipes: dict[str, Pipe]) -> None:
    try:
        for name, ours in OURS.items():
            os.close(pipes[name][ours])
        os.dup2(pipes["stdin"][0], 0)
        os.dup2(pipes["stdout"][1], 1)
        if not os.read(pipes["go"][0], 1):
            return
        close_range(3, cloexec=True)
        for phase in ("enter", "seal", "start"):
            for mechanism in having(plan, phase):
                perform(mechanism, phase, ctx)
        os.execve(PYTHON, ["python3", "-I", "-S", "-c", PROGRAM], {})
    except MinirtError as error:
        os.write(pipes["report"][1], dumps(error.to_fields()).encode())
    finally:
        os._exit(125)


@contextmanager
def open_directory() -> Iterator[str]:
    """A directory that every user may enter (pytest's own are closed to all but its user)."""
    directory = tempfile.mkdtemp()
    try:
        os.chmod(directory, 0o755)  # noqa: S103  (the purpose)
        yield directory
    finally:
        shutil.rmtree(directory)


def in_child(function: Callable[[], str]) -> str:
    """What `function` returns in a process of its own; for a KernelError, its call."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write, _answer(function).encode())
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read) as stream:
        return stream.read()


def _answer(function: Callable[[], str]) -> str:
    try:
        return function()
    except KernelError as error:
        return error.call_line()
    except MinirtError as error:
        return error.what
    except Exception:  # noqa: BLE001  (or the child would go on as a second pytest)
        return traceback.format_exc()
