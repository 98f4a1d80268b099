"""What of the caller's a program gets: the standard streams, descriptors, a manager's sockets."""

from __future__ import annotations

import json
import os
import select
import subprocess
from typing import TYPE_CHECKING

import oci
import pytest
from oci import Runtime
from test_oci_terminal import Socket

if TYPE_CHECKING:
    from pathlib import Path

SHARED = "/shared"
LIST = "for fd in /proc/self/fd/*; do readlink $fd || true; done"


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    made = Runtime(tmp_path, "sh", "-c", LIST)
    for name in "abc":
        (tmp_path / name).write_text(name)
    return made


def with_descriptors(runtime: Runtime, *words: str, more: str = "", env: str = "") -> list[str]:
    """What the program prints when the runtime is called with a, b and c as 3, 4 and 5."""
    (runtime.bundle / "config.json").write_text(json.dumps(runtime.config))
    here = runtime.bundle.parent
    files = f"3<{here}/a 4<{here}/b 5<{here}/c"
    script = f'{env} exec "$@" {files} {more}'
    argv = ["sh", "-c", script, "sh", *oci.PROGRAM, "--root", str(runtime.root), *words]
    done = subprocess.run(
        argv, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=runtime.bundle,
        env={"PATH": "/bin"}, check=True, timeout=60,
    )  # fmt: skip
    return done.stdout.splitlines()


def files(lines: list[str]) -> list[str]:
    """The names of the regular files among them."""
    return [os.path.basename(line) for line in lines if line.endswith(("/a", "/b", "/c"))]


def test_a_created_container_keeps_nothing_of_the_callers_open(
    runtime: Runtime, tmp_path: Path
) -> None:
    """An engine reads from a pipe that it left open to us until it ends."""
    reading, writing = os.pipe()
    with (tmp_path / "output").open("w") as output:
        words = {"capture_output": False, "stdout": output, "stderr": output}
        runtime.must("create", "c1", pass_fds=[writing], **words)
    os.close(writing)
    assert select.select([reading], [], [], 10)[0]
    assert os.read(reading, 1) == b""
    os.close(reading)
    runtime.must("delete", "--force", "c1")


def test_no_descriptor_gets_in_that_was_not_asked_for(runtime: Runtime) -> None:
    assert files(with_descriptors(runtime, "run", "c1")) == []
    assert files(with_descriptors(runtime, "run", "--preserve-fds", "2", "c1")) == ["a", "b"]


def test_exec_preserves_descriptors_too(runtime: Runtime, tmp_path: Path) -> None:
    runtime.config["process"]["args"] = ["sleep", "60"]
    runtime.start("c1", tmp_path / "output")
    words = ("exec", "--preserve-fds=1", "c1", "sh", "-c", LIST)
    assert files(with_descriptors(runtime, *words)) == ["a"]
    assert files(with_descriptors(runtime, "exec", "c1", "sh", "-c", LIST)) == []
    runtime.must("delete", "--force", "c1")


def test_a_descriptor_that_is_not_open_is_refused(runtime: Runtime) -> None:
    said = runtime.refusal("run", "--preserve-fds", "1", "c1")
    assert "descriptor 3 is not open" in said


def test_sockets_of_activation_and_the_pid_that_is_right_inside(runtime: Runtime) -> None:
    runtime.config["process"]["args"] = ["sh", "-c", f"{LIST}; echo $LISTEN_FDS/$LISTEN_PID"]
    activated = "export LISTEN_FDS=1 LISTEN_PID=$$;"
    shown = with_descriptors(runtime, "run", "--preserve-fds", "1", "c1", env=activated)
    assert files(shown) == ["a", "b"]
    assert shown[-1] == "1/1"
    others = "export LISTEN_FDS=1 LISTEN_PID=1;"
    shown = with_descriptors(runtime, "run", "c1", env=others)
    assert files(shown) == []
    assert shown[-1] == "/"


def test_the_pidfd_goes_to_its_socket(runtime: Runtime, tmp_path: Path) -> None:
    runtime.config["process"]["args"] = ["sleep", "60"]
    with Socket(tmp_path / "pidfd.sock") as wanted:
        words = ("create", "--pidfd-socket", wanted.path, "c1")
        runtime.must(*words, capture_output=False, stdout=subprocess.DEVNULL)
        _, pidfd = wanted.received()
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    assert poll.poll(0) == []
    with open(f"/proc/self/fdinfo/{pidfd}", encoding="ascii") as info:
        assert f"Pid:\t{runtime.state('c1')['pid']}\n" in info.read()
    runtime.must("delete", "--force", "c1")
    assert poll.poll(10_000) != []
    os.close(pidfd)


def test_standard_streams_are_those_of_create(runtime: Runtime, tmp_path: Path) -> None:
    """Of `start`'s own the program sees nothing."""
    runtime.config["process"]["args"] = ["sh", "-c", "echo out; echo err >&2; cat"]
    pid = tmp_path / "pid"
    (tmp_path / "in").write_text("in\n")
    with (tmp_path / "in").open() as given, (tmp_path / "out").open("w") as output:
        runtime.must(
            "create", "--pid-file", str(pid), "c1",
            capture_output=False, stdin=given, stdout=output, stderr=output,
        )  # fmt: skip
    done = runtime.call("start", "c1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    os.waitpid(int(pid.read_text()), 0)
    assert (tmp_path / "out").read_text() == "out\nerr\nin\n"
    runtime.must("delete", "c1")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_becomes_no_other_descriptor(
    runtime: Runtime, tmp_path: Path, closed: str
) -> None:
    command = f"for fd in 0 1 2; do readlink /proc/self/fd/$fd || echo none; done > {SHARED}/out"
    runtime.config["process"]["args"] = ["sh", "-c", command]
    runtime.config["mounts"].append(
        {"destination": SHARED, "source": str(tmp_path), "options": ["bind"]}
    )
    (runtime.bundle / "config.json").write_text(json.dumps(runtime.config))
    argv = [*oci.PROGRAM, "--root", str(runtime.root), "run", "c1"]
    script = f'exec "$@" {closed}'
    done = subprocess.run(
        ["sh", "-c", script, "sh", *argv], cwd=runtime.bundle, stdin=subprocess.PIPE,
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    found = (tmp_path / "out").read_text().splitlines()
    # The second is the file itself.
    assert {*found} <= {"/dev/null", f"{SHARED}/out", *(w for w in found if w.startswith("pipe:"))}
    assert ("<" in closed) == (found[0] == "/dev/null")
