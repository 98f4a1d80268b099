"""The steps as a person runs them: programs of their own, looked at from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

PYTHON = [sys.executable, "-I", "-B"]
READY = "echo ready; "
# Ends when its input ends.
WAIT = READY + "read line; exit 0"


def argv(step: int, *arguments: str) -> list[str]:
    return [*PYTHON, "-m", f"minirt.step{step}", "--quiet", *arguments]


def run(
    step: int, *arguments: str, stdin: str = "", wrapper: Sequence[str] = (), **options: object
) -> subprocess.CompletedProcess[str]:
    """Run a step to its end."""
    return subprocess.run(
        [*wrapper, *argv(step, *arguments)],
        input=stdin, text=True, check=False, timeout=60,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
    )  # fmt: skip


def output(step: int, *arguments: str, **options: object) -> str:
    """What the command printed; it must succeed and minirt must not complain."""
    done = run(step, *arguments, **options)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def lines(step: int, *arguments: str, **options: object) -> list[str]:
    return output(step, *arguments, **options).splitlines()


def refused(step: int, *arguments: str, **options: object) -> str:
    """What minirt says about a container that it does not make: exit 125, a few lines."""
    done = run(step, *arguments, **options)
    assert done.returncode == 125, done
    assert done.stdout == ""
    assert done.stderr.startswith("minirt: ")
    assert 1 <= len(done.stderr.splitlines()) <= 5, done.stderr
    return done.stderr


class Running:
    """A step whose container runs a shell script that has said that it is ready."""

    def __init__(
        self,
        step: int,
        *options: str,
        script: str = WAIT,
        wrapper: Sequence[str] = (),
        **more: object,
    ) -> None:
        self.process = subprocess.Popen(
            [*wrapper, *argv(step, *options, "--", "/bin/sh", "-c", script)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **more,
        )  # fmt: skip
        self.first = self.process.stdout.readline()
        self.runtime = self.process.pid if not wrapper else _runtime_of(self.process.pid)
        self.pid = _init_of(self.runtime)

    def __enter__(self) -> Self:
        assert self.first == "ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.end()
        for stream in (self.process.stdin, self.process.stdout):
            stream.close()

    def end(self) -> int:
        """Let the script go on to its end; the exit status."""
        self.process.stdin.close()
        return self.process.wait(30)

    def rest(self) -> str:
        return self.process.stdout.read()

    def namespace(self, kind: str) -> str:
        return namespace(self.pid, kind)

    def proc(self, path: str) -> str:
        return Path(f"/proc/{self.pid}/{path}").read_text()

    def status(self, name: str) -> list[str]:
        """The fields of one line of /proc/PID/status."""
        return status(self.pid, name)


def namespace(pid: int | str, kind: str) -> str:
    return os.readlink(f"/proc/{pid}/ns/{kind}")


def status(pid: int | str, name: str) -> list[str]:
    """The fields of one line of /proc/PID/status."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return line.split()[1:]
    raise LookupError(name)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _runtime_of(pid: int) -> int:
    """Below wrappers that fork, the process that is minirt."""
    while b"minirt.step" not in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"--quiet")[0]:
        (pid,) = children(pid)
    return pid


def _init_of(runtime: int) -> int:
    """The only child of the runtime is the container's init."""
    (init,) = children(runtime)
    return init


def state_root() -> Path:
    return Path(os.environ["MINIRT_STATE"])


def containers() -> list[dict[str, object]]:
    """Every state.json below the state root."""
    found = (state_root() / "containers").glob("*/state.json")
    return [json.loads(path.read_text()) for path in found]
