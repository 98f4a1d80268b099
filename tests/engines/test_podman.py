"""Podman and conmon, with every verb of the runtime that they call."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from engine import IMAGE, Engine, alive, until
from oci_cgroups import Groups
from podman import podman_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KUBE = f"""\
apiVersion: v1
kind: Pod
metadata:
  name: pod
spec:
  containers:
  - name: web
    image: {IMAGE}
    command: [httpd, -f, -p, "8080", -h, /etc]
    resources:
      limits: {{memory: 64Mi}}
"""
HEALTHY = ("--health-interval=disable", "--health-cmd")


@pytest.fixture(scope="module")
def podman(scratch: Path, archive: Path, launcher: str) -> Iterator[Engine]:
    with podman_in(scratch / "podman", archive) as engine:
        yield engine


def test_it_knows_the_runtime(podman: Engine, launcher: str) -> None:
    info = json.loads(podman.must("info", "--format", "json"))
    assert info["host"]["ociRuntime"]["name"] == "minirt"
    assert info["host"]["ociRuntime"]["path"] == launcher
    assert "minirt" in info["host"]["ociRuntime"]["version"]


def test_run_prints_what_the_program_says(podman: Engine) -> None:
    assert podman.must("run", "--rm", "--hostname", "here", IMAGE, "hostname") == "here"


@pytest.mark.parametrize(
    ("args", "status"),
    [(["sh", "-c", "exit 7"], 7), (["/etc/passwd"], 126), (["nonesuch"], 127),
     (["/nonesuch"], 127)],
)  # fmt: skip
def test_exit_statuses(podman: Engine, args: list[str], status: int) -> None:
    assert podman.call("run", "--rm", IMAGE, *args).returncode == status


def test_run_at_a_terminal(podman: Engine) -> None:
    done = podman.typed("run", "--rm", "-it", IMAGE, "tty")
    assert "/dev/pts/0" in done.stdout
    assert done.returncode == 0


@pytest.fixture
def sleeper(podman: Engine) -> Iterator[str]:
    """A container that ends when it is told to."""
    script = "trap 'exit 3' TERM; while :; do sleep 0.1; done"
    name = podman.must("run", "--detach", "--memory", "64m", IMAGE, "sh", "-c", script)
    yield name
    podman.must("rm", "--force", "--time", "0", name)


def test_exec(podman: Engine, sleeper: str) -> None:
    shown = podman.must("exec", "-e", "A=b", "-w", "/tmp", "-u", "65534:65534", sleeper,
                        "sh", "-c", "echo $A $PWD $(id -u)")  # fmt: skip
    assert shown == "b /tmp 65534"
    assert podman.call("exec", sleeper, "sh", "-c", "exit 9").returncode == 9
    assert podman.call("exec", sleeper, "nonesuch").returncode == 127
    assert podman.call("exec", sleeper, "/etc/passwd").returncode == 126


def test_exec_at_a_terminal(podman: Engine, sleeper: str) -> None:
    assert "/dev/pts/0" in podman.typed("exec", "-it", sleeper, "tty").stdout


def test_stop_asks_and_kill_does_not(podman: Engine, sleeper: str) -> None:
    podman.must("stop", sleeper)
    assert podman.must("inspect", "--format", "{{.State.ExitCode}}", sleeper) == "3"
    podman.must("start", sleeper)
    podman.must("kill", sleeper)
    assert podman.must("wait", sleeper) == str(128 + signal.SIGKILL)


def test_pause(podman: Engine, sleeper: str) -> None:
    podman.must("pause", sleeper)
    assert podman.must("inspect", "--format", "{{.State.Status}}", sleeper) == "paused"
    podman.must("unpause", sleeper)
    assert podman.must("exec", sleeper, "echo", "awake") == "awake"


def test_restart(podman: Engine, sleeper: str) -> None:
    first = podman.must("inspect", "--format", "{{.State.Pid}}", sleeper)
    podman.must("restart", sleeper)
    assert podman.must("inspect", "--format", "{{.State.Pid}}", sleeper) != first
    assert not alive(int(first))


def test_stats_and_update(podman: Engine, sleeper: str) -> None:
    [stats] = json.loads(podman.must("stats", "--no-stream", "--format", "json", sleeper))
    assert "67.11MB" in stats["mem_usage"]
    assert int(stats["pids"]) >= 1
    podman.must("update", "--memory", "128m", sleeper)
    pid = podman.must("inspect", "--format", "{{.State.Pid}}", sleeper)
    limit = Groups(int(pid)).read("memory", "memory.limit_in_bytes", "memory.max")
    assert int(limit) == 128 << 20


def test_top_and_logs(podman: Engine) -> None:
    name = podman.must("run", "--detach", IMAGE, "sh", "-c", "echo a line; exec sleep 60")
    until(lambda: podman.must("logs", name) == "a line")
    assert "sleep 60" in podman.must("top", name, "args")
    podman.must("rm", "--force", "--time", "0", name)


@pytest.mark.parametrize(("check", "status"), [("true", 0), ("exit 1", 1)])
def test_a_health_check(podman: Engine, check: str, status: int) -> None:
    name = podman.must("run", "--detach", *HEALTHY, check, IMAGE, "sleep", "60")
    assert podman.call("healthcheck", "run", name).returncode == status
    podman.must("rm", "--force", "--time", "0", name)


def test_a_user_namespace(podman: Engine) -> None:
    maps = ("--uidmap", "0:100000:1000", "--gidmap", "0:100000:1000")
    shown = podman.must("run", "--rm", *maps, IMAGE, "sh", "-c", "id -u; cat /proc/self/uid_map")
    assert shown.split() == ["0", "0", "100000", "1000"]


def test_a_volume_and_a_file_system_in_memory(podman: Engine, tmp_path: Path) -> None:
    (tmp_path / "note").write_text("from outside")
    script = "cat /data/note; touch /data/new || touch /mem/new && ls /mem"
    options = ("--volume", f"{tmp_path}:/data:ro", "--tmpfs", "/mem")
    assert podman.must("run", "--rm", *options, IMAGE, "sh", "-c", script) == "from outsidenew"
    assert not (tmp_path / "new").exists()


def test_confinement(podman: Engine) -> None:
    options = ("--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges")
    script = "touch /x 2>&1; grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status"
    shown = podman.must("run", "--rm", *options, IMAGE, "sh", "-c", script)
    assert "Read-only file system" in shown
    assert shown.split()[-6:] == ["CapEff:", "0000000000000000", "NoNewPrivs:", "1", "Seccomp:",
                                  "2"]  # fmt: skip


def test_a_program_that_eats_too_much_is_killed(podman: Engine) -> None:
    limits = ("--memory", "24m", "--memory-swap", "24m")
    assert podman.call("run", "--rm", *limits, IMAGE, "tail", "/dev/zero").returncode == 137


def test_one_descriptor_more(podman: Engine, tmp_path: Path) -> None:
    # A shell, since subprocess passes descriptors on under their own numbers.
    (tmp_path / "in").write_text("by descriptor 3\n")
    command = " ".join([*podman.words, "run", "--rm", "--preserve-fds", "1", IMAGE])
    shell = Engine("sh", "-c", home=tmp_path)
    assert shell.must(f"{command} sh -c 'cat <&3' 3<{tmp_path}/in") == "by descriptor 3"


def test_kube_play(podman: Engine, tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text(KUBE)
    podman.must("kube", "play", str(tmp_path / "pod.yaml"))
    fetch = ("exec", "pod-web", "wget", "-q", "-O", "-", "http://127.0.0.1:8080/motd")
    until(lambda: podman.call(*fetch).stdout.startswith("Welcome"))
    podman.must("kube", "down", str(tmp_path / "pod.yaml"))
    assert podman.must("ps", "--all", "--quiet") == ""


def test_checkpoint_and_restore(podman: Engine) -> None:
    check = subprocess.run(["criu", "check"], capture_output=True, text=True, check=False)
    if check.returncode:
        pytest.skip(f"not run: criu cannot work on this kernel: {check.stderr.splitlines()[0]}")
    count = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.1; done"
    podman.must(
        "run", "--detach", "--network", "none", "--name", "counter", IMAGE, "sh", "-c", count
    )
    until(lambda: "3" in podman.must("logs", "counter").split())
    podman.must("container", "checkpoint", "counter")
    before = podman.must("logs", "counter").split()
    assert "Exited" in podman.must("ps", "--all", "--filter", "name=counter")
    podman.must("container", "restore", "counter")
    until(lambda: len(podman.must("logs", "counter").split()) > len(before))
    assert podman.must("logs", "counter").split()[len(before)] == str(int(before[-1]) + 1)
    podman.must("rm", "--force", "--time", "0", "counter")
