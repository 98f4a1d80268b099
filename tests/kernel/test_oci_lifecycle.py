"""create, start, state, kill, delete: each a process of its own, as engines call them."""

from __future__ import annotations

import os
import select
from typing import TYPE_CHECKING

import pytest
from oci import Runtime

from minirt.errors import KernelError
from minirt.linux.process import pidfd_open

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    return Runtime(tmp_path, "sh", "-c", "echo hello; exec sleep 60")


def ended(pid: int) -> bool:
    """Whether process `pid` ends within ten seconds, whoever its parent is."""
    try:
        fd = pidfd_open(pid)
    except KernelError:  # and has been reaped
        return True
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    found = bool(poll.poll(10_000))
    os.close(fd)
    return found


def test_a_life_in_five_calls(runtime: Runtime, tmp_path: Path) -> None:
    output = tmp_path / "output"
    pid = runtime.create("c1", output)
    created = runtime.state("c1")
    assert (created["status"], created["pid"]) == ("created", pid)
    assert created["bundle"] == str(runtime.bundle)
    assert output.read_text() == ""
    assert os.readlink(f"/proc/{pid}/ns/pid") != os.readlink("/proc/self/ns/pid")

    assert runtime.must("start", "c1") == ""
    assert runtime.state("c1")["status"] == "running"
    refused = runtime.call("delete", "c1")
    assert refused.returncode == 1
    assert "running" in refused.stderr

    runtime.must("kill", "c1", "SIGKILL")
    assert ended(pid)
    stopped = runtime.state("c1")
    assert (stopped["status"], stopped["pid"]) == ("stopped", 0)
    assert output.read_text() == "hello\n"
    gone = runtime.call("kill", "c1", "9")
    assert "container not running" in gone.stderr

    runtime.must("delete", "c1")
    assert runtime.call("state", "c1").returncode == 1
    assert os.listdir(runtime.root) == []


def test_a_created_container_can_be_deleted(runtime: Runtime, tmp_path: Path) -> None:
    pid = runtime.create("c1", tmp_path / "output")
    runtime.must("delete", "c1")
    assert ended(pid)


def test_the_unknown_is_an_error_but_for_delete_force(runtime: Runtime) -> None:
    for words in (("state", "no"), ("start", "no"), ("kill", "no", "9"), ("delete", "no")):
        done = runtime.call(*words)
        assert done.returncode == 1
        assert "does not exist" in done.stderr
    runtime.must("delete", "--force", "no")


def test_run_ends_with_the_programs_status_and_leaves_nothing(runtime: Runtime) -> None:
    runtime.config["process"]["args"] = ["sh", "-c", "exit 7"]
    assert runtime.call("run", "c1").returncode == 7
    assert os.listdir(runtime.root) == []


def test_a_missing_program_is_refused_by_create(runtime: Runtime, tmp_path: Path) -> None:
    runtime.config["process"]["args"] = ["no-such-program"]
    log = tmp_path / "log.json"
    done = runtime.call("--log", str(log), "--log-format", "json", "create", "c1")
    assert done.returncode == 1
    assert "executable file not found in $PATH" in log.read_text()
    assert os.listdir(runtime.root) == []


def test_a_missing_path_is_refused_by_create_too(runtime: Runtime) -> None:
    # Podman makes 127 of it by the text, which it sees of `create` alone.
    runtime.config["process"]["args"] = ["/no/such/program"]
    done = runtime.call("create", "c1")
    assert done.returncode == 1
    assert "/no/such/program: no such file or directory" in done.stderr
    runtime.config["process"]["args"] = ["/etc/passwd"]
    assert "/etc/passwd: permission denied" in runtime.refusal("create", "c1")
