"""Hooks: when each kind runs, where, with what on its input, and what its failure does."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

import pytest
from oci import Runtime
from test_oci_lifecycle import ended

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

HOST_KINDS = ("prestart", "createRuntime", "createContainer", "poststart", "poststop")
# Appends a line: its name, the state that it was given, its namespaces, its environment.
HOOK = """#!/bin/sh
read -r state
printf '{"kind": "%s", "state": %s, "arg0": "%s", "pidns": "%s", "netns": "%s", "env": "%s"}\\n' \
  "$1" "$state" "$2" "$(readlink /proc/self/ns/pid)" "$(readlink /proc/self/ns/net)" \
  "$(env | tr '\\n' ' ')" >> {log}
exit {status}
"""


class Hooked:
    """A runtime whose hooks note in `log` what they see."""

    def __init__(self, directory: Path) -> None:
        self.runtime = Runtime(directory, "sh", "-c", "echo run >> /log; exec sleep 60")
        self.log = self.runtime.bundle / "rootfs/log"
        self.program = self.script("hook", 0)
        self.runtime.config["annotations"] = {"a": "b"}

    def script(self, name: str, status: int) -> str:
        """A hook on the host, which is at the same path inside."""
        path = self.runtime.bundle / name
        path.write_text(HOOK.replace("{log}", str(self.log)).replace("{status}", str(status)))
        path.chmod(0o755)
        return str(path)

    def set(self, *kinds: str, **members: Any) -> None:
        self.runtime.config["hooks"] = {
            kind: [{"path": self.program, "args": ["hook", kind, "zero"], **members}]
            for kind in kinds
        }

    def lines(self) -> list[dict[str, Any]]:
        text = self.log.read_text().replace("run\n", '{"kind": "the program"}\n')
        return [json.loads(line) for line in text.splitlines()]

    def kinds(self) -> list[str]:
        return [str(line["kind"]) for line in self.lines()] if self.log.exists() else []


@pytest.fixture
def hooked(tmp_path: Path) -> Hooked:
    return Hooked(tmp_path)


def until(condition: Any) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_each_kind_at_its_time_with_the_state_on_its_input(hooked: Hooked, tmp_path: Path) -> None:
    hooked.set(*HOST_KINDS)
    runtime = hooked.runtime
    pid = runtime.create("c1", tmp_path / "output")
    created = ["prestart", "createRuntime", "createContainer"]
    assert hooked.kinds() == created
    host, inside = hooked.lines()[1], hooked.lines()[2]
    runtime.must("start", "c1")
    until(lambda: "the program" in hooked.kinds())
    assert sorted(hooked.kinds()[3:]) == ["poststart", "the program"]
    runtime.must("delete", "--force", "c1")
    assert hooked.kinds()[5:] == ["poststop"]

    states = {line["kind"]: line["state"] for line in hooked.lines() if "state" in line}
    assert {kind: state["status"] for kind, state in states.items()} == {
        "prestart": "created", "createRuntime": "creating", "createContainer": "creating",
        "poststart": "running", "poststop": "stopped",
    }  # fmt: skip
    for state in states.values():
        assert state["id"] == "c1"
        assert state["ociVersion"] == "1.2.0"
        assert state["bundle"] == str(runtime.bundle)
        assert state["annotations"] == {"a": "b"}
    assert states["createRuntime"]["pid"] == states["poststart"]["pid"] == pid
    assert states["createContainer"]["pid"] == 1
    assert host["pidns"] == os.readlink("/proc/self/ns/pid") != inside["pidns"]
    assert host["netns"] == os.readlink("/proc/self/ns/net") != inside["netns"]


def test_a_hook_inside_runs_in_the_containers_files_before_the_program(
    hooked: Hooked, tmp_path: Path
) -> None:
    runtime = hooked.runtime
    inside = runtime.bundle / "rootfs/hook"
    inside.write_text("#!/bin/sh\ncat > /state; echo hook >> /order\n")
    inside.chmod(0o755)
    runtime.config["hooks"] = {"startContainer": [{"path": "/hook"}]}
    runtime.config["process"]["args"] = ["sh", "-c", "echo program >> /order"]
    runtime.create("c1", tmp_path / "output")
    assert not (runtime.bundle / "rootfs/order").exists()
    runtime.must("start", "c1")
    order = runtime.bundle / "rootfs/order"
    until(lambda: order.exists() and order.read_text() == "hook\nprogram\n")
    state = json.loads((runtime.bundle / "rootfs/state").read_text())
    assert (state["status"], state["pid"]) == ("created", 1)
    runtime.must("delete", "--force", "c1")


def test_args_env_and_the_trace_context(hooked: Hooked) -> None:
    runtime = hooked.runtime
    hooked.set("createRuntime", env=["A=1", "PATH=/usr/bin:/bin"])
    runtime.config["process"]["args"] = ["true"]
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    runtime.must("run", "c1", env={"TRACEPARENT": parent, "SECRET": "x"})
    (line,) = [line for line in hooked.lines() if line["kind"] == "createRuntime"]
    assert line["arg0"] == "zero"
    assert "A=1 " in line["env"]
    assert "SECRET" not in line["env"]
    assert "TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-" in line["env"]


def test_without_an_env_a_hook_on_the_host_gets_the_runtimes(hooked: Hooked) -> None:
    hooked.set("createRuntime", "createContainer", "poststop")
    hooked.runtime.config["process"]["args"] = ["true"]
    hooked.runtime.must("run", "c1", env={"PATH": "/opt:/usr/bin:/bin", "OF_THE_HOST": "x"})
    seen = {line["kind"]: line["env"] for line in hooked.lines()}
    for kind in ("createRuntime", "poststop"):
        assert "PATH=/opt:/usr/bin:/bin " in seen[kind]
        assert "OF_THE_HOST=x" in seen[kind]
    assert "OF_THE_HOST" not in seen["createContainer"]


def test_a_start_container_hook_has_the_programs_environment(hooked: Hooked) -> None:
    words = {"path": "/bin/sh", "args": ["sh", "-c", "echo $OF_THE_PROGRAM $HOME > /seen"]}
    hooked.runtime.config["hooks"] = {"startContainer": [words]}
    hooked.runtime.config["process"]["env"] += ["OF_THE_PROGRAM=x"]
    assert hooked.runtime.output("cat", "/seen").split()[0] == "x"
    assert hooked.runtime.output("cat", "/seen").split()[1].startswith("/")


def test_a_create_container_hook_starts_in_the_containers_files(hooked: Hooked) -> None:
    """They have no name there yet, and some are for the hook to change."""
    words = {"path": "/bin/sh", "args": ["sh", "-c", "echo hooked > ./of-the-hook"]}
    hooked.runtime.config["hooks"] = {"createContainer": [words]}
    assert hooked.runtime.output("cat", "/of-the-hook") == "hooked\n"


def test_the_first_argument_is_argv_0(hooked: Hooked, tmp_path: Path) -> None:
    """Docker's network is the daemon's own program, called by another name."""
    out = tmp_path / "argv"
    words = ["libnetwork-setkey", "-c", f"echo $0 > {out}"]
    hooked.runtime.config["hooks"] = {"prestart": [{"path": "/bin/sh", "args": words}]}
    hooked.runtime.config["process"]["args"] = ["true"]
    hooked.runtime.must("run", "c1")
    assert out.read_text() == "libnetwork-setkey\n"


@pytest.mark.parametrize("kind", ["prestart", "createRuntime", "createContainer"])
def test_a_failure_in_create_leaves_no_container(hooked: Hooked, kind: str) -> None:
    hooked.set("poststop")
    path = hooked.script("failing", 3)
    failing = {"path": path, "args": ["x", kind]}
    hooked.runtime.config["hooks"][kind] = [{"path": "/bin/true"}, failing]
    assert f"/hooks/{kind}/1: {path} failed" in hooked.runtime.refusal("create", "c1")
    assert hooked.kinds() == [kind, "poststop"]
    assert os.listdir(hooked.runtime.root) == []


@pytest.mark.parametrize("kind", ["startContainer", "poststart"])
def test_a_failure_in_start_stops_and_destroys(hooked: Hooked, tmp_path: Path, kind: str) -> None:
    hooked.set("poststop")
    hooked.runtime.config["hooks"][kind] = [{"path": "/bin/false"}]
    pid = hooked.runtime.create("c1", tmp_path / "output")
    said = hooked.runtime.refusal("start", "c1")
    assert f"/hooks/{kind}/0: /bin/false failed" in said
    assert ended(pid)
    assert hooked.kinds()[-1] == "poststop"
    assert os.listdir(hooked.runtime.root) == []


def test_a_failing_poststop_is_warned_of_and_the_next_still_runs(hooked: Hooked) -> None:
    hooked.set("poststop")
    hooked.runtime.config["hooks"]["poststop"].insert(0, {"path": "/bin/false"})
    hooked.runtime.config["process"]["args"] = ["true"]
    done = hooked.runtime.call("run", "c1")
    assert done.returncode == 0
    assert 'level=warning msg="/hooks/poststop/0: /bin/false failed' in done.stderr
    assert hooked.kinds() == ["poststop"]


def test_a_hook_that_takes_too_long_is_killed(hooked: Hooked) -> None:
    slow = {"path": "/bin/sleep", "args": ["sleep", "60"], "timeout": 1}
    hooked.runtime.config["hooks"] = {"createRuntime": [slow]}
    assert "longer than its 1 s" in hooked.runtime.refusal("create", "c1")
    assert os.listdir(hooked.runtime.root) == []


def test_a_hook_inside_is_under_the_containers_filter(hooked: Hooked, tmp_path: Path) -> None:
    """It is a file of the image: what the program may not do, it may not do for the program."""
    runtime, root = hooked.runtime, hooked.runtime.bundle / "rootfs"
    (root / "hook").write_text("#!/bin/sh\ngrep Seccomp: /proc/self/status > /seen\nmkdir /made\n")
    (root / "hook").chmod(0o755)
    runtime.config["hooks"] = {"startContainer": [{"path": "/hook"}]}
    runtime.config["linux"]["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}],
    }
    runtime.create("c1", tmp_path / "output")
    assert "Operation not permitted" in runtime.call("start", "c1").stderr
    assert (root / "seen").read_text().split() == ["Seccomp:", "2"]
    assert not (root / "made").exists()
