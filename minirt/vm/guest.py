"""A VM whose root is a container's image: booted once, it runs commands until the block ends.

with Guest ──▶ Qemu ──▶ kernel ──▶ init: "ready" ◀── "launch 1 ..." ──▶ "start 1" ... "end 1 0"
           ◀── any number of commands, one a channel at a time ──▶ "reboot"
"""

from __future__ import annotations

import contextlib

from minirt.errors import HostError, MinirtError
from minirt.host.progress import Progress, say
from minirt.spans import CLIENT, GUEST, HOST
from minirt.vm import measure, request
from minirt.vm.job import Job
from minirt.vm.machine import TCG
from minirt.vm.qemu import Qemu
from minirt.vm.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from minirt.spans import Recorder
    from minirt.vm.machine import Machine

BOOT_SECONDS, COMMAND_SECONDS, SHUTDOWN_SECONDS = 30.0, 120.0, 10.0
ATTEMPTS = 2
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
COMMAND = "vm.command"
# --8<-- [start:phases]
# (span, from mark, to mark): each phase ends where the next begins.
PHASES = (
    ("vm.spawn", "spawn", "kernel"),
    ("vm.kernel", "kernel", "init"),
    ("vm.init", "init", "ready"),
    ("vm.ready", "ready", "start"),
    ("vm.command", "start", "end"),
    ("vm.shutdown", "end", "exit"),
)
# --8<-- [end:phases]


class Guest:
    """A running VM, in a `with`: at its end the VM is gone, however the block was left.

    A boot that is not ready within `timeout` seconds is tried once more, and that is said;
    `retries` is how many failed. HostError when the second one fails, too. `jobs` are the
    commands in the order in which they were asked for.
    """

    __slots__ = ("_hostname", "_progress", "_stack", "_timeout", "jobs", "machine", "retries",
                 "session")  # fmt: skip

    def __init__(
        self,
        machine: Machine,
        *,
        hostname: str = "guest",
        timeout: float = BOOT_SECONDS,
        progress: str = "",
    ) -> None:
        self.machine = machine
        self.retries = 0
        self.jobs: list[Job] = []
        self._hostname = hostname
        self._timeout = timeout
        self._progress = progress

    def __enter__(self) -> Self:
        while True:
            with contextlib.ExitStack() as stack:
                problem = self._boot(stack)
                if not problem:
                    stack.push(self._end)
                    self._stack = stack.pop_all()
                    return self
            self.retries += 1
            if self.retries == ATTEMPTS:
                raise HostError(
                    f"{problem}, {ATTEMPTS} times in a row",
                    hint="try again when the machine is less busy",
                )
            say(f"{problem}: starting it once more")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def _end(self, kind: object, *_error: object) -> None:
        """After an error the VM is killed, without being asked; so is one that does not listen."""
        if kind is None and self.session.alive:
            try:
                self.shut_down()
            except MinirtError as error:
                say(f"{error.what}: killed")

    def _boot(self, stack: contextlib.ExitStack) -> str:
        """Start the VM, and wait until it takes commands; "" or why it does not."""
        # The VM first: a process with a thread, which Progress starts, had better not fork.
        self.session = Session(stack.enter_context(Qemu(self.machine)))
        if self._progress:
            stack.enter_context(Progress(self._progress))
        if not self.session.wait_for("ready", self._timeout):
            return self._why_not()
        self.session.ask(request.hostname(self._hostname))
        tap = self.machine.tap
        if tap is None:
            return ""
        self.session.ask(request.network(tap.address, tap.subnet))
        return "" if self.session.wait_for("network", self._timeout) else self._why_not()

    def _why_not(self) -> str:
        session = self.session
        said = session.qemu.complaint() or session.record.last_words() or "it said nothing"
        if not session.alive:
            return f"the VM ended while it booted ({said})"
        return f"the VM did not boot within {self._timeout:.0f} s ({said})"

    def launch(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] = ENVIRONMENT,
        cwd: str = "/",
        open_input: bool = False,
    ) -> Job:
        """Start `argv` in the image as root, with exactly `env`, and come back at once.

        Its standard input ends at once, or, with `open_input`, never.
        MinirtError when all channels of the machine have a command that still runs.
        """
        record = self.session.record
        if not self.session.alive:
            raise MinirtError(f"the VM has ended: {record.last_words()}")
        jobs = record.jobs
        channels = range(1, self.machine.channels + 1)
        free = [n for n in channels if n not in jobs or jobs[n].closed]
        if not free:
            raise MinirtError(
                f"the VM runs {self.machine.channels} commands, and has no channel for more",
                hint="give the machine more channels",
            )
        job = Job(self.session, free[0])
        line = request.launch(job.channel, job.end, argv, env=env, cwd=cwd, open_input=open_input)
        jobs[job.channel] = job
        self.jobs.append(job)
        self.session.ask(line)
        return job

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] = ENVIRONMENT,
        cwd: str = "/",
        timeout: float = COMMAND_SECONDS,
    ) -> Job:
        """Run `argv` to its end: status, output, and the arrival of each line are in the job.

        MinirtError when it takes longer than `timeout`, and it is stopped then; or when it
        takes the VM down with it.
        """
        with self.launch(argv, env=env, cwd=cwd) as job:
            job.wait(timeout)
        return job

    def shut_down(self) -> None:
        """Have the guest end by itself; MinirtError when it does not."""
        self.session.ask(b"reboot -f")
        if not self.session.wait_for("exit", SHUTDOWN_SECONDS):
            words = self.session.record.last_words()
            raise MinirtError(f"the VM did not shut down in {SHUTDOWN_SECONDS:.0f} s ({words})")

    @property
    def address(self) -> str:
        """Where the host reaches it; "" without a network."""
        return self.machine.tap.address if self.machine.tap else ""

    @property
    def pid(self) -> int:
        """QEMU's."""
        return self.session.qemu.process.pid

    @property
    def pss_bytes(self) -> int:
        return measure.pss_bytes([self.pid])

    @property
    def emulated(self) -> bool:
        return self.machine.accelerator == TCG

    def marks(self) -> dict[str, int]:
        """When what happened, in the order of time: session.py's, and `start` and `end`.

        `start` is the first command's and `end` the last one's; one that was not found never
        starts.
        """
        marks = dict(self.session.record.marks)
        started = [job.started for job in self.jobs if job.started]
        ended = [job.ended for job in self.jobs if job.ended]
        marks |= {"start": min(started)} if started else {}
        marks |= {"end": max(ended)} if ended else {}
        return dict(sorted(marks.items(), key=lambda mark: mark[1]))

    def phases(self) -> dict[str, tuple[int, int]]:
        """From when to when each of PHASES was, as far as they happened."""
        marks = self.marks()
        return {
            name: (marks[first], marks[last])
            for name, first, last in PHASES
            if first in marks and last in marks
        }

    def record(self, recorder: Recorder) -> None:
        """Add the phases as spans, and one span for each command.

        They join: each starts where the one before ended.
        """
        for name, interval in self.phases().items():
            if name == COMMAND:
                self._record_commands(recorder)
            else:
                span = recorder.add(name, *interval)
                span.side = GUEST
                span.set("minirt.vm.accelerator", self.machine.accelerator)
                if name == "vm.spawn":
                    span.kind, span.side = CLIENT, HOST
                    span.set("minirt.vm.retries", self.retries)

    def _record_commands(self, recorder: Recorder) -> None:
        for job in self.jobs:
            if job.started and job.ended:
                span = recorder.add(COMMAND, job.started, job.ended)
                span.side = GUEST
                span.set("minirt.vm.accelerator", self.machine.accelerator)
                span.set("process.exit.code", job.status)
