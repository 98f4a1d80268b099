"""exec and ps: a further process in a container, as engines and people ask for it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import oci
import pytest
from oci import Runtime
from steps import status
from test_oci_lifecycle import ended

from minirt.engine import exec as engine_exec
from minirt.engine.container import Container
from minirt.errors import HostError
from minirt.linux import ending, freezer
from minirt.linux.process import pidfd_open
from minirt.spans import Recorder
from minirt.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

SETS = ("bounding", "effective", "permitted")


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    """One with a running container c1 that has a cgroup."""
    made = Runtime(tmp_path, "sleep", "60")
    made.config["linux"]["cgroupsPath"] = f"/minirt/exec-{os.getpid()}"
    made.config["process"]["env"] = ["PATH=/bin", "OWN=1"]
    made.config["process"]["capabilities"] = {name: ["CAP_CHOWN"] for name in SETS}
    made.start("c1", tmp_path / "output")
    yield made
    made.must("delete", "--force", "c1")


def described(runtime: Runtime, **members: Any) -> str:
    """A file with a process."""
    path = runtime.bundle / "process.json"
    path.write_text(json.dumps({"args": ["true"], "cwd": "/", "env": ["PATH=/bin"], **members}))
    return str(path)


def pid_of(runtime: Runtime) -> int:
    return int(runtime.state("c1")["pid"])


def test_it_is_in_the_containers_namespaces_and_cgroups(runtime: Runtime) -> None:
    init = pid_of(runtime)
    kinds = ("pid", "net", "ipc", "uts", "mnt")
    shown = runtime.must(
        "exec", "c1", "sh", "-c", "for n in /proc/self/ns/*; do readlink $n; done"
    ).split()
    assert {os.readlink(f"/proc/{init}/ns/{kind}") for kind in kinds} <= set(shown)
    cgroups = Path(f"/proc/{init}/cgroup").read_text()
    assert runtime.must("exec", "c1", "cat", "/proc/self/cgroup") == cgroups


def test_its_exit_status_is_the_processs_and_255_the_runtimes(runtime: Runtime) -> None:
    assert runtime.call("exec", "c1", "sh", "-c", "exit 7").returncode == 7
    assert runtime.call("exec", "c1", "sh", "-c", "kill -9 $$").returncode == 137
    missing = runtime.call("exec", "c1", "no-such-program")
    assert missing.returncode == 255
    assert "executable file not found in $PATH" in missing.stderr
    assert runtime.call("exec", "no", "true").returncode == 255
    assert runtime.call("exec", "c1").returncode == 255


def test_options_after_the_command_are_the_commands(runtime: Runtime) -> None:
    assert runtime.must("exec", "--env", "X=1", "c1", "echo", "-e", "--cwd") == "--cwd\n"
    assert runtime.must("exec", "c1", "--env=X=1", "sh", "-c", "echo $X$OWN") == "11\n"


def test_each_option_changes_what_the_container_has(runtime: Runtime) -> None:
    words = ("--user", "7:8", "--additional-gids", "9", "-g", "10", "--cwd", "/proc")
    more = ("--cap", "CAP_KILL", "--no-new-privs", "c1", "cat", "self/status")
    shown = runtime.must("exec", *words, *more)
    found = {
        name: value.split() for name, _, value in (s.partition(":") for s in shown.split("\n"))
    }
    assert (found["Uid"], found["Gid"], found["Groups"]) == (["7"] * 4, ["8"] * 4, ["9", "10"])
    assert found["NoNewPrivs"] == ["1"]
    assert found["CapBnd"] == [f"{0b100001:016x}"]
    assert found["CapEff"] == ["0" * 16]
    shown = runtime.must("exec", "--cap", "CAP_KILL", "c1", "grep", "CapEff", "/proc/self/status")
    assert shown.split()[1] == f"{0b100001:016x}"


def test_a_file_describes_the_whole_process(runtime: Runtime) -> None:
    file = described(
        runtime,
        args=["sh", "-c", "id -u; pwd; /usr/bin/env; ulimit -n; grep CapBnd /proc/self/status"],
        cwd="/proc", env=["PATH=/bin", "A=1"], user={"uid": 5, "gid": 5},
        rlimits=[{"type": "RLIMIT_NOFILE", "soft": 33, "hard": 44}],
    )  # fmt: skip
    shown = runtime.must("exec", "--process", file, "c1").split()
    assert shown[:2] == ["5", "/proc"]
    assert "A=1" in shown
    assert "OWN=1" not in shown
    assert "33" in shown
    assert shown[-1] == f"{1:016x}"  # what it does not say of rights is the container's


def test_a_missing_working_directory_is_not_made(runtime: Runtime) -> None:
    done = runtime.call("exec", "--cwd", "/no/such", "c1", "true")
    assert done.returncode == 255
    assert "chdir to cwd" in done.stderr
    assert "no such file or directory" in done.stderr


def test_the_cpus_of_exec_before_and_after(runtime: Runtime) -> None:
    last = max(os.sched_getaffinity(0))
    file = described(
        runtime, args=["grep", "Cpus_allowed_list", "/proc/self/status"],
        execCPUAffinity={"initial": "0", "final": str(last)},
    )  # fmt: skip
    assert runtime.must("exec", "-p", file, "c1").split()[1] == str(last)


def test_detached_it_outlives_the_runtime(runtime: Runtime, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    words = ("exec", "--detach", "--pid-file", str(file), "c1", "sleep", "60")
    runtime.must(*words, capture_output=False, stdout=subprocess.DEVNULL)
    pid = int(file.read_text())
    assert status(pid, "NSpid")[1] != "1"
    assert Path(f"/proc/{pid}/comm").read_text() == "sleep\n"
    assert os.readlink(f"/proc/{pid}/exe") in ("/bin/busybox", "/bin/sleep")
    assert json.loads(runtime.must("ps", "--format", "json", "c1")) == sorted(
        [pid_of(runtime), pid]
    )
    os.kill(pid, signal.SIGKILL)
    assert reaped(pid) == signal.SIGKILL


def reaped(pid: int) -> int:
    """Wait for a process whose runtime has left it to us, as to an engine; its signal.

    Until that is done the container's pid namespace cannot end (pid_namespaces(7)).
    """
    return os.WTERMSIG(os.waitpid(pid, 0)[1])


def test_ps_shows_what_the_hosts_ps_does(runtime: Runtime) -> None:
    init = pid_of(runtime)
    head, line = runtime.must("ps", "c1").splitlines()
    assert "PID" in head
    assert str(init) in line.split()
    assert "sleep 60" in line
    head, line = runtime.must("ps", "c1", "-e", "-o", "pid,comm").splitlines()
    assert line.split() == [str(init), "sleep"]
    assert runtime.call("ps", "--format", "xml", "c1").returncode == 1


def test_in_a_stopped_container_there_is_no_exec(runtime: Runtime) -> None:
    pid = pid_of(runtime)
    runtime.must("kill", "c1", "KILL")
    assert ended(pid)
    done = runtime.call("exec", "c1", "true")
    assert (done.returncode, "cannot exec in a stopped container" in done.stderr) == (255, True)
    assert json.loads(runtime.must("ps", "--format", "json", "c1")) == []


def freezers(runtime: Runtime) -> Iterator[tuple[Path, str, str]]:
    """The files that hold c1's processes still, with what freezes and what thaws."""
    record = json.loads((runtime.root / "c1/state.json").read_text())
    for directory in record["created"]["cgroup"]:
        for name, freeze, thaw in (
            ("freezer.state", "FROZEN", "THAWED"), ("cgroup.freeze", "1", "0"),
        ):  # fmt: skip
            if (Path(directory) / name).exists():
                yield Path(directory) / name, freeze, thaw


def test_in_a_paused_container_it_waits_only_if_asked_to(runtime: Runtime) -> None:
    found = list(freezers(runtime))
    if not found:
        pytest.skip("the container is in no cgroup that can be frozen")
    path, freeze, thaw = found[0]
    path.write_text(freeze)
    try:
        done = runtime.call("exec", "c1", "true")
        assert done.returncode == 255
        said = "cannot exec in a paused container (use --ignore-paused to override)"
        assert said in done.stderr
    finally:
        path.write_text(thaw)
    assert runtime.call("exec", "c1", "true").returncode == 0


def test_a_cgroup_below_the_containers(runtime: Runtime) -> None:
    record = json.loads((runtime.root / "c1/state.json").read_text())
    directories = [Path(directory) for directory in record["created"]["cgroup"]]
    for directory in directories:
        (directory / "below").mkdir()
        for name in ("cpuset.cpus", "cpuset.mems"):  # version 1 lets nobody in without them
            if (directory / "below" / name).exists():
                (directory / "below" / name).write_text((directory / name).read_text())
    shown = runtime.must("exec", "--cgroup", "below", "c1", "cat", "/proc/self/cgroup")
    paths = [line.rpartition(":")[2] for line in shown.splitlines()]
    assert sum(path.endswith("/below") for path in paths) == len(directories)
    if len(directories) > 1:  # version 1
        words = ("--cgroup", "memory,pids:below")
        shown = runtime.must("exec", *words, "c1", "cat", "/proc/self/cgroup")
        fields = [line.split(":") for line in shown.splitlines()]
        assert {names for _, names, path in fields if path.endswith("/below")} == {
            "memory", "pids"
        }  # fmt: skip
    for wrong in ("no-such", "../..", "no-such-controller:below"):
        assert runtime.call("exec", "--cgroup", wrong, "c1", "true").returncode == 255
    for directory in directories:
        (directory / "below").rmdir()


def test_run_in_the_foreground_passes_signals_on(tmp_path: Path) -> None:
    traps = "trap 'exit 5' TERM; trap 'echo usr1' USR1; echo ready; while :; do sleep 0.05; done"
    runtime = Runtime(tmp_path, "sh", "-c", traps)
    (runtime.bundle / "config.json").write_text(json.dumps(runtime.config))
    words = [*oci.PROGRAM, "--root", str(runtime.root), "run", "c1"]
    with subprocess.Popen(words, cwd=runtime.bundle, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGUSR1)
        assert process.stdout.readline() == "usr1\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 5
    assert os.listdir(runtime.root) == []


def test_run_keep_and_run_detached(tmp_path: Path) -> None:
    runtime = Runtime(tmp_path, "true")
    runtime.must("run", "--keep", "c1")
    assert runtime.state("c1")["status"] == "stopped"
    runtime.must("delete", "c1")
    runtime.config["process"]["args"] = ["sleep", "60"]
    file = tmp_path / "pid"
    words = ("run", "--detach", "--pid-file", str(file), "c1")
    runtime.must(*words, capture_output=False, stdout=subprocess.DEVNULL)
    assert runtime.state("c1")["pid"] == int(file.read_text())
    runtime.must("delete", "--force", "c1")


def test_a_container_in_the_foreground_can_be_deleted_by_another(tmp_path: Path) -> None:
    runtime = Runtime(tmp_path, "sh", "-c", "echo ready; exec sleep 60")
    (runtime.bundle / "config.json").write_text(json.dumps(runtime.config))
    words = [*oci.PROGRAM, "--root", str(runtime.root), "run", "c1"]
    with subprocess.Popen(words, cwd=runtime.bundle, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        runtime.must("delete", "--force", "c1")
        assert process.wait(10) == 137
    assert os.listdir(runtime.root) == []


def test_null_in_a_file_is_as_good_as_nothing(runtime: Runtime) -> None:
    """JSON of Go's has null for what is not there: the container's limits and rights hold."""
    show = ["sh", "-c", "grep CapEff /proc/self/status; ulimit -n"]
    without = runtime.must("exec", "-p", described(runtime, args=show), "c1")
    nulls = dict.fromkeys(("capabilities", "rlimits", "oomScoreAdj", "user", "consoleSize"))
    assert runtime.must("exec", "-p", described(runtime, args=show, **nulls), "c1") == without
    assert "0000000000000001" in without


@pytest.mark.parametrize("members", [{}, {"args": None}, {"args": []}])
def test_a_file_without_a_program_does_not_mean_the_containers(
    runtime: Runtime, members: dict[str, Any]
) -> None:
    path = runtime.bundle / "process.json"
    path.write_text(json.dumps({"cwd": "/", **members}))
    assert "/process/args: must name a program" in runtime.refusal("exec", "-p", str(path), "c1")


def test_a_cgroup_that_is_gone_is_thawed(tmp_path: Path) -> None:
    """Who kills a container may be later than who deletes it."""
    freezer.thaw(str(tmp_path / "gone"))
    with pytest.raises(HostError):
        freezer.thaw(str(tmp_path))


def test_an_interrupted_exec_does_not_wait_for_the_thaw(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a paused container of version 1 a process hears no signal, not even this one."""
    monkeypatch.setattr(ending, "PATIENCE", 2)
    monkeypatch.setattr(Container, "kill", lambda *_: True)
    state = State(str(runtime.root), "c1")
    state.load()
    container = engine_exec.prepared(state, {}, Recorder())
    container.ctx.pid, container.ctx.pidfd = state.pid, pidfd_open(state.pid)
    with pytest.raises(HostError, match="does not end"):
        engine_exec.end(container)
    assert container.ctx.pidfd == -1
