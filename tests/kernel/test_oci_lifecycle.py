"""create, start, state, kill, delete: each a process of its own, as engines call them."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
from typing import TYPE_CHECKING

import oci
import pytest
from oci import Runtime

from minirt.engine.container import load
from minirt.errors import HostError, KernelError
from minirt.linux import ending
from minirt.linux.process import pidfd_open, start_time
from minirt.spans import Recorder
from minirt.state import CREATED, State

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


def test_an_id_may_be_as_long_as_a_file_name(runtime: Runtime) -> None:
    runtime.config["process"]["args"] = ["true"]
    runtime.must("run", "x" * 255)
    assert "at most 255" in runtime.refusal("run", "x" * 300)
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


def test_run_does_not_delete_a_new_container_of_the_same_id(
    runtime: Runtime, tmp_path: Path
) -> None:
    first = runtime.start("c1", tmp_path / "first")
    runtime.must("delete", "--force", "c1")
    with subprocess.Popen(
        [*oci.PROGRAM, "--root", str(runtime.root), "run", "c1"], cwd=runtime.bundle,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
    ) as run:  # fmt: skip
        assert run.stdout is not None
        assert run.stdout.readline() == b"hello\n"
        state = State(str(runtime.root), "c1")
        assert state.lock(wait=True)  # run has let go of it
        state.unlock()
        run.send_signal(signal.SIGSTOP)
        runtime.must("delete", "--force", "c1")
        second = runtime.start("c1", tmp_path / "second")
        run.send_signal(signal.SIGCONT)
        assert run.wait(30) == 128 + signal.SIGKILL
    assert first != second
    assert (runtime.state("c1")["status"], runtime.state("c1")["pid"]) == ("running", second)
    runtime.must("delete", "--force", "c1")


def test_what_does_not_die_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "PATIENCE", 2)
    with subprocess.Popen(["sleep", "60"]) as process:
        pidfd = pidfd_open(process.pid)
        with pytest.raises(HostError, match="does not end"):
            ending.released(pidfd, process.pid)
        process.kill()
        ending.released(pidfd, process.pid)
        os.close(pidfd)


@pytest.mark.parametrize("answers", [[True, False], [False]])
def test_a_pid_that_another_process_got_meanwhile_is_not_signalled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: list[bool]
) -> None:
    state = State(str(tmp_path), "c1")
    state.pid, state.start_time, state.status = os.getpid(), start_time(os.getpid()), CREATED
    found = load(state, Recorder())
    assert found.ctx.pid == os.getpid()
    found.close()
    monkeypatch.setattr(State, "init_alive", lambda _state: answers.pop(0))
    assert load(state, Recorder()).ctx.pidfd == -1


def test_what_nobody_foresaw_is_in_the_log_too(runtime: Runtime, tmp_path: Path) -> None:
    """An engine shows its user the last line of the log; a traceback is lost."""
    log = tmp_path / "log.json"
    words = ("--log", str(log), "--log-format", "json", "--root", "/etc/hostname", "state", "c1")
    said = runtime.refusal(*words)
    entry = json.loads(log.read_text().splitlines()[-1])
    assert entry["level"] == "error"
    assert "not a directory" in entry["msg"]
    assert "Traceback" not in said
    full = runtime.refusal("--log", "/dev/full", "state", "c1")
    assert "does not exist" in full
    assert "cannot write to /dev/full" in full


@pytest.mark.parametrize("traced", [False, True])
def test_debug_tells_of_each_phase(runtime: Runtime, tmp_path: Path, *, traced: bool) -> None:
    log, seen = tmp_path / "log", tmp_path / "seen"
    words = ["sh", "-c", f"echo ${{TRACEPARENT:-none}} > {seen}"]
    runtime.config["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": words}]}
    runtime.config["process"]["args"] = ["true"]
    runtime.config["annotations"] = {"minirt.dev/trace": "on" if traced else "off"}
    runtime.must("--log", str(log), "run", "c1")
    assert not log.exists()
    runtime.must("--log", str(log), "--debug", "run", "c1")
    told = [line.partition("msg=")[2].strip('"') for line in log.read_text().splitlines()]
    for name in ("mounts.prepare", "hooks.meet", "cgroup.teardown", "clone3"):
        assert f"{name} begins" in told
        assert any(line.startswith(f"{name} ended after ") for line in told)
    for name in ("mounts.enter", "pivot.seal", "exec"):
        assert any(line.startswith(f"{name} inside ended after ") for line in told)
    assert (seen.read_text() == "none\n") is not traced


def test_debug_tells_where_a_call_failed(runtime: Runtime, tmp_path: Path) -> None:
    log = tmp_path / "log"
    runtime.config["mounts"].append({"destination": "/new", "type": "nosuchfs"})
    runtime.refusal("--log", str(log), "--debug", "run", "c1")
    assert "mounts.enter inside failed: ENODEV after " in log.read_text()


@pytest.mark.parametrize("verb", ["create", "run"])
def test_without_an_id_that_is_what_is_said(runtime: Runtime, tmp_path: Path, verb: str) -> None:
    """Also where there is no bundle, either."""
    assert "ID: needs the id of a container" in runtime.refusal(verb, cwd=tmp_path)
