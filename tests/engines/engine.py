"""Calling an engine as a person does, and the daemons that some of them are."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.request
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import Any

# Of whoever runs the tests nothing reaches an engine: no TMPDIR, no proxy, no settings.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
IMAGE = "docker.io/library/minirt:latest"
PATIENCE_S = 30.0
# For podman and buildah: no process may raise its limits without CAP_SYS_RESOURCE, and they ask for
# more by default; nor is there a systemd to ask for cgroups.
SETTINGS = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
"""


class Engine:
    """A client's command line: the words that come before each command."""

    def __init__(self, *words: str, home: Path) -> None:
        self.words = words
        self.home = home
        self.environment = {"PATH": PATH, "HOME": str(home), "LANG": "C.UTF-8"}

    def call(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """One command; `options` are subprocess.run's."""
        usual: dict[str, Any] = {"stdin": subprocess.DEVNULL, "capture_output": True}
        # Where conmon leaves a file "oom".
        usual |= {"text": True, "timeout": 90, "env": self.environment, "cwd": self.home}
        return subprocess.run([*self.words, *words], check=False, **{**usual, **options})

    def must(self, *words: str, **options: Any) -> str:
        """One command that succeeds; what it printed."""
        done = self.call(*words, **options)
        assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return (done.stdout or "").strip()

    def typed(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One command at a terminal, by script(1)."""
        command = " ".join([*self.words, *words])
        argv = ["script", "--quiet", "--return", "--command", command, "/dev/null"]
        return subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=90, env=self.environment, cwd=self.home,
        )  # fmt: skip


class Daemon:
    """A process that a test starts, waits for, and ends, with all that it said in a file."""

    def __init__(self, argv: Sequence[str], log: Path, home: Path) -> None:
        self.log = log
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                env={"PATH": PATH, "HOME": str(home)},
            )  # fmt: skip

    def wait(self, ready: Callable[[], bool]) -> None:
        """Return as soon as it is `ready`."""
        until(lambda: ready() or self.process.poll() is not None, self.log.read_text)
        assert self.process.poll() is None, self.log.read_text()

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it, as it likes to be ended; by force where it does not."""
        self.process.send_signal(number)
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


def until(true: Callable[[], object], explain: Callable[[], str] = str) -> None:
    """Return once it is `true`; fail, with an explanation, if it does not become so."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Whether there is such a process."""
    return os.path.exists(f"/proc/{pid}")


def fetched(url: str) -> str:
    """What a server says; "" while it is not there."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  (always http)
            text: str = answer.read().decode()
            return text
    except OSError:
        return ""
