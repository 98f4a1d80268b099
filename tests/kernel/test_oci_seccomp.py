"""`linux.seccomp` of a config.json, loaded: actions, flags, and calls that an agent answers."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from oci import Runtime
from seccomp_agent import Agent

from minirt.linux.calls import MACHINE

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

pytestmark = pytest.mark.skipif(MACHINE != "x86_64", reason="numbers of x86_64")
MKDIR, EXECVE = 83, 59


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    made = Runtime(tmp_path, "sh", "-c", "mkdir /tmp/x; echo $?")
    made.config["root"]["readonly"] = False
    return made


def filtered(runtime: Runtime, action: str, *names: str, **more: Any) -> None:
    rule = {"names": list(names or ("mkdir",)), "action": f"SCMP_ACT_{action}"}
    if "errnoRet" in more:
        rule["errnoRet"] = more.pop("errnoRet")
    runtime.config["linux"]["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule], **more,
    }  # fmt: skip


@pytest.mark.parametrize("no_new_privs", [False, True])
@pytest.mark.parametrize("uid", [0, 1000])
def test_a_call_gets_its_number_of_an_error(
    runtime: Runtime, *, no_new_privs: bool, uid: int
) -> None:
    runtime.config["process"] |= {"noNewPrivileges": no_new_privs, "user": {"uid": uid, "gid": 0}}
    filtered(runtime, "ERRNO", errnoRet=28)
    done = runtime.call("run", "c1")
    assert "No space left on device" in done.stderr
    assert done.stdout == "1\n"


@pytest.mark.parametrize(
    ("action", "number"),
    [("KILL", "SIGSYS"), ("KILL_THREAD", "SIGSYS"), ("KILL_PROCESS", "SIGSYS"), ("TRAP", "SIGSYS")],
)
def test_a_call_kills(runtime: Runtime, action: str, number: str) -> None:
    filtered(runtime, action)
    assert runtime.must("run", "c1") == f"{128 + signal.Signals[number]}\n"


def test_a_call_is_logged_and_goes_on(runtime: Runtime) -> None:
    filtered(runtime, "LOG")
    assert runtime.must("run", "c1") == "0\n"


def test_a_call_without_its_tracer_does_not_exist(runtime: Runtime) -> None:
    filtered(runtime, "TRACE")
    done = runtime.call("run", "c1")
    assert "Function not implemented" in done.stderr
    assert done.stdout == "1\n"


FLAGS = ("TSYNC", "LOG", "SPEC_ALLOW", "WAIT_KILLABLE_RECV")


def test_the_filter_loads_with_every_flag(runtime: Runtime) -> None:
    flags = [f"SECCOMP_FILTER_FLAG_{name}" for name in FLAGS]
    filtered(runtime, "ERRNO", flags=flags)
    assert runtime.must("run", "c1") == "1\n"


def test_an_agent_answers(runtime: Runtime, tmp_path: Path) -> None:
    path = tmp_path / "agent"
    filtered(runtime, "NOTIFY", listenerPath=str(path), listenerMetadata="who=me")
    runtime.config["annotations"] = {"a": "b"}
    runtime.config["process"]["args"][-1] += "; grep Seccomp_filters /proc/self/status"
    with Agent(path, refused=(MKDIR,)) as agent:
        pid = runtime.create("c1", tmp_path / "out")
        assert agent.states == []
        runtime.must("start", "c1")
        runtime.must("delete", "--force", "c1")
    (told,) = agent.states
    assert told["pid"] == told["state"]["pid"] == pid
    assert told["metadata"] == "who=me"
    assert told["ociVersion"] == told["state"]["ociVersion"]
    assert told["state"]["id"] == "c1"
    assert told["state"]["bundle"] == str(runtime.bundle)
    assert told["state"]["annotations"] == {"a": "b"}


def test_the_program_gets_the_answer(runtime: Runtime, tmp_path: Path) -> None:
    path = tmp_path / "agent"
    filtered(runtime, "NOTIFY", listenerPath=str(path))
    with Agent(path, refused=(MKDIR,)) as agent:
        done = runtime.call("run", "c1")
    assert agent.calls == [MKDIR]
    assert "Invalid cross-device link" in done.stderr
    assert done.stdout == "1\n"


@pytest.mark.parametrize("flags", [[], ["TSYNC", "LOG", "WAIT_KILLABLE_RECV"]])
def test_even_execve_can_be_asked_of_the_agent(
    runtime: Runtime, tmp_path: Path, flags: list[str]
) -> None:
    """Whoever waited for execve to send the descriptor would wait for ever."""
    path = tmp_path / "agent"
    asked = [f"SECCOMP_FILTER_FLAG_{name}" for name in flags]
    filtered(runtime, "NOTIFY", "execve", listenerPath=str(path), flags=asked)
    runtime.config["process"]["args"] = ["true"]
    with Agent(path) as agent:
        runtime.must("run", "c1")
    assert agent.calls == [EXECVE]


def test_everything_can_be_asked_of_the_agent(runtime: Runtime, tmp_path: Path) -> None:
    """Between the filter and execve no other call may come, for each would be asked."""
    path = tmp_path / "agent"
    runtime.config["linux"]["seccomp"] = {
        "defaultAction": "SCMP_ACT_NOTIFY", "listenerPath": str(path),
    }  # fmt: skip
    runtime.config["process"]["args"] = ["true"]
    with Agent(path) as agent:
        runtime.must("run", "c1")
    assert agent.calls[0] == EXECVE
    assert len(agent.calls) > 2


def test_exec_has_a_listener_of_its_own(runtime: Runtime, tmp_path: Path) -> None:
    path = tmp_path / "agent"
    filtered(runtime, "NOTIFY", listenerPath=str(path))
    runtime.config["process"]["args"] = ["sleep", "100"]
    with Agent(path, refused=(MKDIR,)) as agent:
        pid = runtime.start("c1", tmp_path / "out")
        done = runtime.call("exec", "c1", "mkdir", "/tmp/y")
        runtime.must("delete", "--force", "c1")
    assert done.returncode == 1
    assert "cross-device" in done.stderr
    first, second = agent.states
    assert first["pid"] == pid != second["pid"]
    assert second["state"]["pid"] == pid
    assert second["state"]["status"] == "running"


def test_without_an_agent_the_container_does_not_run(runtime: Runtime, tmp_path: Path) -> None:
    filtered(runtime, "NOTIFY", listenerPath=str(tmp_path / "nobody"))
    assert "/linux/seccomp/listenerPath: cannot send" in runtime.refusal("run", "c1")
    runtime.create("c2", tmp_path / "out")
    runtime.refusal("start", "c2")
    assert runtime.state("c2")["status"] == "stopped"
    runtime.must("delete", "c2")


def test_a_wrong_profile_leaves_nothing(runtime: Runtime) -> None:
    filtered(runtime, "ALLOW", errnoRet=1)
    assert "/linux/seccomp/syscalls/0/errnoRet" in runtime.refusal()
    filtered(runtime, "NOTIFY")
    assert "/linux/seccomp/listenerPath" in runtime.refusal()
