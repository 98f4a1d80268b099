"""sd_notify through the runtime: a real socket on the host, a real datagram from inside."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import oci
import pytest
from oci import Runtime
from test_oci_lifecycle import ended

from minirt.linux.process import pidfd_open, pidfd_send_signal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# busybox has no program that sends a datagram, so this host's Python is bind-mounted.
READY = """\
import os, socket, sys, time
one = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
one.connect(os.environ["NOTIFY_SOCKET"])
one.send(b"STATUS=not yet\\nMAINPID=1")
sys.stdin.readline()
one.send(b"STATUS=now\\nREADY=1\\nFDSTORE=1")
time.sleep(60)
"""


class Manager:
    """What systemd is to a unit: it listens, and knows who sent."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address.replace("@", "\0", 1))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.settimeout(20)

    def received(self) -> tuple[str, int]:
        """The next message and its sender's pid; the descriptors of a barrier are closed."""
        text, rights, _, _ = self._socket.recvmsg(4096, 200)
        sender = 0
        for level, kind, data in rights:
            assert level == socket.SOL_SOCKET
            if kind == socket.SCM_CREDENTIALS:
                sender = int.from_bytes(data[:4], sys.byteorder)
            else:
                os.close(int.from_bytes(data[:4], sys.byteorder))
        return text.decode(), sender

    def close(self) -> None:
        self._socket.close()

    def has_nothing_more(self) -> bool:
        self._socket.settimeout(0)
        try:
            self._socket.recv(1)
        except BlockingIOError:
            return True
        return False


@pytest.fixture(params=["path", "abstract"])
def manager(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Manager]:
    where = str(tmp_path / "notify") if request.param == "path" else f"@minirt-tests-{os.getpid()}"
    made = Manager(where)
    yield made
    made.close()


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    made = Runtime(tmp_path, sys.executable, "-ISc", READY)
    for path in ("/usr", "/lib", "/lib64", sys.prefix, sys.base_prefix):
        made.config["mounts"].append(
            {"destination": path, "type": "bind", "source": path, "options": ["rbind", "ro"]}
        )
    return made


def begun(runtime: Runtime, address: str, *words: str) -> subprocess.Popen[str]:
    """A call that goes on; the program's input is ours."""
    (runtime.bundle / "config.json").write_text(json.dumps(runtime.config))
    argv = [*oci.PROGRAM, "--root", str(runtime.root), *words]
    return subprocess.Popen(
        argv, stdin=subprocess.PIPE, text=True, cwd=runtime.bundle, env={"NOTIFY_SOCKET": address}
    )


def await_running(runtime: Runtime) -> None:
    """Return when the program runs, or would if it had not failed."""
    while "running" not in runtime.must("list"):
        time.sleep(0.05)


def go(call: subprocess.Popen[str]) -> None:
    """Let the program become ready."""
    assert call.stdin is not None
    call.stdin.write("go\n")
    call.stdin.flush()


def test_run_waits_until_the_program_is_ready(runtime: Runtime, manager: Manager) -> None:
    """What else it sends is none of the manager's business."""
    with begun(runtime, manager.address, "run", "--detach", "c1") as call:
        await_running(runtime)
        assert call.poll() is None
        go(call)
        pid = runtime.state("c1")["pid"]
        assert manager.received() == (f"READY=1\nMAINPID={pid}\n", call.pid)
        assert manager.received() == ("BARRIER=1", call.pid)
        assert call.wait(20) == 0
    assert manager.has_nothing_more()
    runtime.must("delete", "--force", "c1")


def test_start_waits_and_others_may_act_meanwhile(runtime: Runtime, tmp_path: Path) -> None:
    manager = Manager(str(tmp_path / "notify"))
    env = {"NOTIFY_SOCKET": manager.address}
    readable, writable = os.pipe()
    streams = {"capture_output": False, "stdin": readable}
    runtime.must("create", "c1", env=env, **streams)
    with begun(runtime, manager.address, "start", "c1") as start:
        await_running(runtime)
        assert runtime.must("exec", "c1", "/bin/hostname") == "oci\n"
        os.write(writable, b"go\n")
        pid = runtime.state("c1")["pid"]
        assert manager.received() == (f"READY=1\nMAINPID={pid}\n", start.pid)
        manager.received()
        assert start.wait(20) == 0
    runtime.must("delete", "--force", "c1")
    for fd in (readable, writable):
        os.close(fd)
    manager.close()


def test_in_the_foreground_the_runtime_is_the_main_process(
    runtime: Runtime, tmp_path: Path
) -> None:
    manager = Manager(str(tmp_path / "notify"))
    with begun(runtime, manager.address, "run", "c1") as call:
        go(call)
        assert manager.received() == ("READY=1\n", call.pid)
        manager.received()
        runtime.must("kill", "c1", "KILL")
        assert call.wait(20) == 128 + 9
    manager.close()


def test_a_program_that_ends_without_a_word_ends_the_wait(
    runtime: Runtime, manager: Manager
) -> None:
    runtime.config["process"]["args"] = ["/bin/true"]
    with begun(runtime, manager.address, "run", "--detach", "c1") as call:
        assert call.wait(20) == 0
    assert manager.has_nothing_more()
    assert runtime.state("c1")["status"] == "stopped"
    runtime.must("delete", "c1")


def test_a_manager_that_is_gone_is_a_warning(runtime: Runtime, tmp_path: Path) -> None:
    runtime.config["process"]["args"][2] = READY.replace("sys.stdin.readline()", "")
    env = {"NOTIFY_SOCKET": str(tmp_path / "nobody")}
    with (tmp_path / "output").open("w") as file:
        streams = {"capture_output": False, "stderr": file}
        runtime.must("run", "--detach", "c1", env=env, **streams)
    assert "that the program is ready: no such file" in (tmp_path / "output").read_text()
    assert runtime.state("c1")["status"] == "running"
    runtime.must("delete", "--force", "c1")


def test_a_runtime_that_is_stopped_while_it_waits_takes_the_container_with_it(
    runtime: Runtime, tmp_path: Path
) -> None:
    """A unit that was not ready in time is stopped: its manager ends what it started."""
    manager = Manager(str(tmp_path / "notify"))
    pid_file = tmp_path / "pid"
    words = ("run", "--detach", "--pid-file", str(pid_file), "c1")
    with begun(runtime, manager.address, *words) as call:
        await_running(runtime)
        pid = int(pid_file.read_text())
        pidfd = pidfd_open(call.pid)
        assert pidfd_send_signal(pidfd, 15)
        os.close(pidfd)
        assert call.wait(20) == 128 + 15
    assert ended(pid)
    assert runtime.must("list", "--quiet") == ""
    manager.close()
