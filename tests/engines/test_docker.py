"""Dockerd and its shim: docker's networks are a prestart hook, its errors a line of --log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from docker import Docker
from engine import IMAGE, fetched, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PORT = 18080
SERVE = ("httpd", "-f", "-p", "80", "-h", "/etc")


@pytest.fixture(scope="module")
def docker(scratch: Path, archive: Path, launcher: str) -> Iterator[Docker]:
    engine = Docker(scratch / "docker", launcher)
    try:
        engine.ready()
        engine.must("load", "--input", str(archive))
        yield engine
    finally:
        engine.end()


@pytest.fixture
def sleeper(docker: Docker) -> Iterator[str]:
    name = docker.must("run", "--detach", "--init", "--memory", "64m", IMAGE, "sleep", "600")
    yield name
    docker.must("rm", "--force", name)


def test_it_knows_the_runtime(docker: Docker) -> None:
    assert docker.must("info", "--format", "{{.DefaultRuntime}}") == "minirt"
    assert docker.must("info", "--format", "{{.RuncCommit.ID}}") not in ("", "N/A")


def test_run_prints_what_the_program_says(docker: Docker) -> None:
    assert docker.must("run", "--rm", "--hostname", "here", IMAGE, "hostname") == "here"


@pytest.mark.parametrize(
    ("args", "status"),
    [(["sh", "-c", "exit 7"], 7), (["/etc/passwd"], 126), (["nonesuch"], 127),
     (["/nonesuch"], 127)],
)  # fmt: skip
def test_exit_statuses(docker: Docker, args: list[str], status: int) -> None:
    assert docker.call("run", "--rm", IMAGE, *args).returncode == status


def test_run_at_a_terminal(docker: Docker) -> None:
    assert "/dev/pts/0" in docker.typed("run", "--rm", "-it", IMAGE, "tty").stdout


def test_exec(docker: Docker, sleeper: str) -> None:
    words = ("-e", "A=b", "-w", "/tmp", "-u", "65534", sleeper, "sh", "-c", "echo $A $PWD $(id -u)")
    assert docker.must("exec", *words) == "b /tmp 65534"
    assert docker.call("exec", sleeper, "sh", "-c", "exit 9").returncode == 9
    # 126 for all, whatever the runtime: this docker means to make 127 of it, and does not.
    missing = docker.call("exec", sleeper, "nonesuch")
    assert missing.returncode == 126
    assert "executable file not found" in missing.stdout
    assert "/dev/pts/" in docker.typed("exec", "-it", sleeper, "tty").stdout


def test_a_published_port(docker: Docker) -> None:
    name = docker.must("run", "--detach", "--publish", f"127.0.0.1:{PORT}:80", IMAGE, *SERVE)
    until(lambda: fetched(f"http://127.0.0.1:{PORT}/motd").startswith("Welcome"))
    docker.must("rm", "--force", name)
    assert fetched(f"http://127.0.0.1:{PORT}/motd") == ""


def test_two_services_that_talk(docker: Docker) -> None:
    docker.must("network", "create", "front")
    options = ("--detach", "--network", "front", "--name", "web")
    docker.must("run", *options, IMAGE, *SERVE)
    fetch = ("run", "--rm", "--network", "front", IMAGE, "wget", "-q", "-O", "-", "http://web/motd")
    until(lambda: docker.call(*fetch).stdout.startswith("Welcome"))
    docker.must("rm", "--force", "web")
    docker.must("network", "rm", "front")


def test_logs_and_top(docker: Docker) -> None:
    name = docker.must("run", "--detach", IMAGE, "sh", "-c", "echo a line; exec sleep 600")
    until(lambda: docker.must("logs", name) == "a line")
    assert "sleep 600" in docker.must("top", name)
    docker.must("rm", "--force", name)


def test_stats_and_update(docker: Docker, sleeper: str) -> None:
    def shown() -> str:
        [line] = docker.must("stats", "--no-stream", "--format", "{{json .}}", sleeper).splitlines()
        return str(json.loads(line)["MemUsage"])

    assert shown().endswith("/ 64MiB")
    docker.must("update", "--memory", "128m", "--memory-swap", "256m", sleeper)
    assert shown().endswith("/ 128MiB")


def test_pause_stop_and_restart(docker: Docker, sleeper: str) -> None:
    docker.must("pause", sleeper)
    assert docker.field(sleeper, ".State.Status") == "paused"
    docker.must("unpause", sleeper)
    docker.must("stop", sleeper)
    assert docker.field(sleeper, ".State.ExitCode") == "143"
    docker.must("restart", sleeper)
    assert docker.must("exec", sleeper, "echo", "again") == "again"
    docker.must("kill", sleeper)
    until(lambda: docker.field(sleeper, ".State.ExitCode") == "137")


def test_a_program_that_eats_too_much_is_killed(docker: Docker) -> None:
    limits = ("--memory", "24m", "--memory-swap", "24m")
    done = docker.call("run", "--name", "eater", *limits, IMAGE, "tail", "/dev/zero")
    assert done.returncode == 137
    assert docker.field("eater", ".State.OOMKilled") == "true"
    docker.must("rm", "eater")


def test_a_restart_policy(docker: Docker) -> None:
    name = docker.must("run", "--detach", "--restart", "on-failure:2", IMAGE, "sh", "-c", "exit 3")
    until(lambda: docker.field(name, ".RestartCount") == "2")
    until(lambda: docker.field(name, ".State.Status") == "exited")
    assert docker.field(name, ".State.ExitCode") == "3"
    docker.must("rm", name)


def test_a_health_check(docker: Docker) -> None:
    options = ("--detach", "--health-cmd", "true", "--health-interval", "1s")
    name = docker.must("run", *options, IMAGE, "sleep", "600")
    until(lambda: docker.field(name, ".State.Health.Status") == "healthy")
    docker.must("rm", "--force", name)


def test_a_volume_and_confinement(docker: Docker, tmp_path: Path) -> None:
    (tmp_path / "note").write_text("from outside")
    script = "cat /data/note; touch /data/new /x; grep -E '^(CapEff|Seccomp):' /proc/self/status"
    options = ("--read-only", "--cap-drop", "all", "--volume", f"{tmp_path}:/data:ro")
    shown = docker.must("run", "--rm", *options, IMAGE, "sh", "-c", script)
    assert shown.split() == ["from", "outsideCapEff:", "0000000000000000", "Seccomp:", "2"]
    assert not (tmp_path / "new").exists()
