"""Containerd's own client, the thinnest engine there is: the shim, and nothing above it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from containerd import Containerd
from engine import IMAGE, Engine, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def ctr(scratch: Path, archive: Path, launcher: str) -> Iterator[Engine]:
    server = Containerd(scratch / "containerd-ctr", launcher, IMAGE)
    client = server.ctr("default")
    try:
        client.must("image", "import", str(archive))
        yield client
    finally:
        server.daemon.stop()


@pytest.fixture
def run(launcher: str) -> tuple[str, ...]:
    return ("run", "--runc-binary", launcher)


def test_run(ctr: Engine, run: tuple[str, ...]) -> None:
    assert "process 1" in ctr.must(*run, "--rm", IMAGE, "c1", "hello")
    assert ctr.call(*run, "--rm", IMAGE, "c1", "sh", "-c", "exit 7").returncode == 7
    missing = ctr.call(*run, "--rm", IMAGE, "c1", "nonesuch")
    assert "executable file not found" in missing.stderr


def test_run_at_a_terminal(ctr: Engine, run: tuple[str, ...]) -> None:
    assert "/dev/pts/0" in ctr.typed(*run, "--rm", "--tty", IMAGE, "c1", "tty").stdout


def test_the_life_of_a_task(ctr: Engine, run: tuple[str, ...]) -> None:
    ctr.must(*run, "--detach", "--memory-limit", "67108864", IMAGE, "c2", "sleep", "600")
    assert ctr.must("task", "exec", "--exec-id", "e1", "c2", "echo", "inside") == "inside"
    done = ctr.call("task", "exec", "--exec-id", "e2", "c2", "sh", "-c", "exit 9")
    assert done.returncode == 9
    ctr.must("task", "pause", "c2")
    assert "PAUSED" in ctr.must("task", "list")
    ctr.must("task", "resume", "c2")
    assert "RUNNING" in ctr.must("task", "list")
    assert len(ctr.must("task", "ps", "c2").splitlines()) == 2
    assert "67108864" in ctr.must("task", "metrics", "c2")
    ctr.must("task", "kill", "--signal", "SIGKILL", "c2")
    until(lambda: "STOPPED" in ctr.must("task", "list"))
    assert "exit code 137" in ctr.call("task", "delete", "c2").stderr
    ctr.must("container", "delete", "c2")
    assert ctr.must("container", "list", "--quiet") == ""
