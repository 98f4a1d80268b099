"""One container by the calls that engines make: create, start, exec, delete, each a process.

The environment is empty but for PATH. `create` hands its standard streams on, so the container's
input ends with this process, and programs that wait for that do not outlive a killed benchmark.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
from time import monotonic_ns
from typing import TYPE_CHECKING

from bench import process
from bench.process import EASE, PATIENCE, SIGNALS, TIMEOUT, Process, descendants
from bench.subject import Run
from bench.subjects.launched import cgroup_of
from minirt.errors import HostError
from minirt.linux import command
from minirt.linux.process import Held

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any, Self

ENVIRONMENT = {"PATH": command.PATH}


class Container:
    """At the end of the `with` block it is deleted, whatever it was, and its bundle removed.

    `program` is the runtime with its global options. `pid` is known once it was created.
    """

    address = ""

    def __init__(self, program: Sequence[str], bundle: Path, config: Mapping[str, Any]) -> None:
        """Its bundle is made now, nothing else before the first call."""
        self.name = bundle.name
        self.pid = 0
        self._program = list(program)
        self._bundle = bundle
        self._process: Mapping[str, Any] = config["process"]
        self._there = False
        self._create: Process | None = None
        self._pidfd = -1
        bundle.mkdir()
        self._write("config.json", config)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with Held(SIGNALS):
            if self._create is not None:
                self._create.__exit__()  # its input, and the container's, ends
            if self._there:
                self._ends_within(EASE)
                self._delete_by_force()
            if self._pidfd >= 0:
                self._ends_within(PATIENCE)
                self._reap()
                os.close(self._pidfd)
            shutil.rmtree(self._bundle)

    def run(self) -> Run:
        """From nothing to deleted in one call, in the foreground."""
        self._there = True
        done = process.run(self._words("run", "--bundle", str(self._bundle)), ENVIRONMENT)
        self._there = False
        return done

    def create(self) -> Run:
        """Everything but its program, which waits for `start`."""
        file = self._bundle / "pid"
        words = ("create", "--bundle", str(self._bundle), "--pid-file", str(file))
        self._create = Process(self._words(*words), ENVIRONMENT)
        self._there = True
        self._create.start()
        done = _ended(self._create)
        self.pid = int(file.read_text(encoding="ascii"))
        self._pidfd = os.pidfd_open(self.pid)
        return done

    def start(self) -> Run:
        return _call(self._words("start"))

    def exec(self, argv: Sequence[str]) -> Run:
        """One more program in it, in the foreground, until its end."""
        file = self._write("process.json", {**self._process, "args": list(argv)})
        return _call(self._words("exec", "--process", str(file)))

    def wait(self) -> None:
        """Until its program has ended, as an engine learns it: its parent reaps it."""
        if not self._ends_within(TIMEOUT):
            raise TimeoutError(f"{self.name} did not end")
        self._reap()

    def delete(self) -> Run:
        done = _call(self._words("delete"))
        self._there = False
        return done

    def pids(self) -> list[int]:
        return descendants(self.pid)

    def cgroup(self) -> str:
        return cgroup_of(self.pids())

    def line(self, timeout: float) -> tuple[str, int]:
        if self._create is None:
            raise HostError(f"{self.name} was not created")
        return self._create.line(timeout)

    def _write(self, name: str, document: Mapping[str, Any]) -> Path:
        path = self._bundle / name
        path.write_text(json.dumps(document, indent=1), encoding="utf-8")
        return path

    def _words(self, verb: str, *options: str) -> list[str]:
        return [*self._program, verb, *options, self.name]

    def _ends_within(self, seconds: float) -> bool:
        if self._pidfd < 0:
            return False
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):  # where this process is no subreaper
            os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOHANG)

    def _delete_by_force(self) -> None:
        words = self._words("delete", "--force")
        subprocess.run(
            words, env=ENVIRONMENT, capture_output=True, check=False, start_new_session=True
        )
        self._there = False


def _call(words: Sequence[str]) -> Run:
    with Process(words, ENVIRONMENT) as called:
        return _ended(called)


def _ended(called: Process) -> Run:
    """When the process has ended; its output may stay open, for a container has it as well."""
    if not called.ends_within(TIMEOUT):
        raise TimeoutError(f"{called.what()} did not end")
    status = called.finish()
    ended = monotonic_ns()
    if status:
        raise HostError(f"{called.what()} ended with {status}: {called.complaint()}")
    return Run(called.began, ended, status, [], called.cpu_s)
