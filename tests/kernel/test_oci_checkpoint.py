"""checkpoint and restore, with the criu(8) that is here, where it can work on this kernel."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from oci import Runtime

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What it has counted is in its memory alone.
COUNTER = "n=0; while read word; do n=$((n+1)); echo $n $word; done; exit 7"


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    made = Runtime(tmp_path, "sh", "-c", COUNTER)
    # What criu makes of a network depends on much else that a kernel has or lacks.
    made.config["linux"]["namespaces"].remove({"type": "network"})
    return made


@pytest.fixture(scope="module")
def criu() -> None:
    """A criu that this kernel is not too new for."""
    check = subprocess.run(["criu", "check"], capture_output=True, text=True, check=False)
    if check.returncode:
        pytest.skip(f"criu cannot work on this kernel: {check.stderr.strip()}")


class Talk:
    """Pipes to and from a program, as an engine holds them."""

    def __init__(self) -> None:
        self.stdin, self._in = os.pipe()
        self._out, self.stdout = os.pipe()

    @property
    def streams(self) -> dict[str, Any]:
        both = {"stdout": self.stdout, "stderr": self.stdout}
        return {"capture_output": False, "stdin": self.stdin, **both}

    def say(self, word: str) -> str:
        """The program's answer to `word`."""
        os.write(self._in, f"{word}\n".encode())
        return os.read(self._out, 100).decode()

    def close(self) -> None:
        for fd in (self.stdin, self._in, self.stdout, self._out):
            os.close(fd)


@pytest.fixture
def talks() -> Iterator[tuple[Talk, Talk]]:
    found = (Talk(), Talk())
    yield found
    for talk in found:
        talk.close()


def images(runtime: Runtime) -> tuple[str, str]:
    return "--image-path", str(runtime.bundle / "images")


@pytest.mark.usefixtures("criu")
def test_a_restored_container_goes_on_and_is_like_any_other(
    runtime: Runtime, talks: tuple[Talk, Talk]
) -> None:
    before, after = talks
    runtime.config["linux"]["resources"] = {"pids": {"limit": 30}}
    runtime.must("run", "--detach", "c1", **before.streams)
    assert before.say("a") == "1 a\n"
    runtime.must("checkpoint", *images(runtime), "c1")
    assert runtime.must("list", "--quiet") == ""

    pid = runtime.bundle / "pid"
    words = ("restore", "--detach", "--pid-file", str(pid), *images(runtime), "c2")
    runtime.must(*words, **after.streams)
    assert after.say("b") == "2 b\n"
    state = runtime.state("c2")
    assert (state["status"], state["pid"]) == ("running", int(pid.read_text()))
    assert runtime.must("exec", "c2", "hostname") == "oci\n"
    cgroups = (f"/proc/{state['pid']}/cgroup", "/proc/self/cgroup")
    mine, ours = ({line.split(":", 1)[1] for line in open(path)} for path in cgroups)  # noqa: SIM115
    assert any(line.endswith(runtime.cgroup("c2") + "\n") for line in mine - ours)
    runtime.must("pause", "c2")
    assert runtime.state("c2")["status"] == "paused"
    runtime.must("resume", "c2")
    runtime.must("kill", "c2", "KILL")
    runtime.must("delete", "--force", "c2")


@pytest.mark.usefixtures("criu")
def test_restore_in_the_foreground_ends_with_the_program_s_status(
    runtime: Runtime, talks: tuple[Talk, Talk]
) -> None:
    before, _ = talks
    runtime.must("run", "--detach", "c1", **before.streams)
    assert before.say("a") == "1 a\n"
    runtime.must("checkpoint", *images(runtime), "c1")
    done = runtime.call("restore", *images(runtime), "c1", stdin=None, input="b\n")
    assert (done.returncode, done.stdout) == (7, "2 b\n"), done.stderr
    assert runtime.must("list", "--quiet") == ""


@pytest.mark.usefixtures("criu")
@pytest.mark.parametrize("words", [(), ("--empty-ns", "network")])
def test_a_network_of_its_own(
    runtime: Runtime, talks: tuple[Talk, Talk], words: tuple[str, ...]
) -> None:
    before, after = talks
    runtime.config["linux"]["namespaces"].append({"type": "network"})
    runtime.must("run", "--detach", "c1", **before.streams)
    runtime.must("checkpoint", *words, *images(runtime), "c1")
    runtime.must("restore", "--detach", *words, *images(runtime), "c1", **after.streams)
    assert after.say("a") == "1 a\n"
    runtime.must("delete", "--force", "c1")


@pytest.mark.usefixtures("criu")
def test_what_is_the_host_s_is_given_again(runtime: Runtime, tmp_path: Path) -> None:
    """Bind mounts come from the new configuration, and output may be a file."""
    for name in ("one", "two"):
        (tmp_path / name).write_text(f"{name}\n")
    volume = {"destination": "/etc/motd", "type": "bind", "options": ["rbind", "ro"]}
    runtime.config["mounts"].append({**volume, "source": str(tmp_path / "one")})
    runtime.config["linux"]["namespaces"] += [{"type": "cgroup"}]
    runtime.config["linux"]["maskedPaths"] = ["/proc/keys", "/proc/acpi"]
    runtime.config["process"]["args"] = ["sh", "-c", "echo begun; exec sleep 60"]
    runtime.start("c1", tmp_path / "output")
    runtime.must("checkpoint", *images(runtime), "--leave-running", "c1")
    assert runtime.state("c1")["status"] == "running"
    runtime.must("delete", "--force", "c1")

    runtime.config["mounts"][-1]["source"] = str(tmp_path / "two")
    with (tmp_path / "output").open("a") as file:
        streams = {"capture_output": False, "stdout": file, "stderr": file}
        runtime.must("restore", "--detach", *images(runtime), "c1", **streams)
    assert runtime.must("exec", "c1", "cat", "/etc/motd") == "two\n"
    assert runtime.must("exec", "c1", "cat", "/proc/keys") == ""
    runtime.must("delete", "--force", "c1")


@pytest.mark.usefixtures("criu")
def test_a_restore_that_fails_leaves_nothing(runtime: Runtime, talks: tuple[Talk, Talk]) -> None:
    runtime.must("run", "--detach", "c1", **talks[0].streams)
    runtime.must("checkpoint", *images(runtime), "c1")
    (runtime.bundle / "images/core-1.img").unlink()
    said = runtime.refusal("restore", "--detach", *images(runtime), "c1")
    assert "cannot restore container c1" in said
    assert "Restoring FAILED" in said
    assert runtime.must("list", "--quiet") == ""


def test_a_dump_that_fails_harms_nothing(runtime: Runtime) -> None:
    """A socket to the outside cannot be dumped; criu's own words are in the error."""
    ours, theirs = socket.socketpair()
    runtime.must("run", "--detach", "c1", stdin=theirs.fileno(), stdout=theirs.fileno(),
                 capture_output=False)  # fmt: skip
    said = runtime.refusal("checkpoint", *images(runtime), "--work-path", "work", "c1")
    assert "cannot checkpoint container c1" in said
    log = runtime.bundle / "work/dump.log"
    assert f"see {log}" in said
    complaints = [line for line in log.read_text().splitlines() if "Error (" in line]
    assert complaints[-1].rpartition("): ")[2] in said
    assert runtime.state("c1")["status"] == "running"
    ours.sendall(b"a\n")
    assert ours.recv(100) == b"1 a\n"
    runtime.must("delete", "--force", "c1")
    ours.close()
    theirs.close()


def test_without_criu_the_error_names_the_package(
    runtime: Runtime, talks: tuple[Talk, Talk]
) -> None:
    runtime.must("run", "--detach", "c1", **talks[0].streams)
    for verb, name in (("checkpoint", "c1"), ("restore", "c2")):
        (runtime.bundle / "images").mkdir(exist_ok=True)
        (runtime.bundle / "images/minirt.json").write_text('{"mounts":[],"streams":[]}')
        said = runtime.refusal("--criu", "/nowhere/criu", verb, *images(runtime), name)
        assert "/nowhere/criu is no program" in said
        assert "install the package criu" in said
    runtime.must("delete", "--force", "c1")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("checkpoint", "--lazy-pages"), "--lazy-pages: minirt cannot"),
        (("checkpoint", "--manage-cgroups-mode", "x"), "is not one of soft, full"),
        (("checkpoint", "--empty-ns", "ipc"), "cannot be emptied: network"),
        (("restore", "--image-path", "/nowhere"), "open /nowhere/minirt.json: no such file"),
    ],
)
def test_what_cannot_be_is_said(
    runtime: Runtime, tmp_path: Path, words: tuple[str, ...], complaint: str
) -> None:
    runtime.config["process"]["args"] = ["sleep", "60"]
    runtime.start("c1", tmp_path / "output")
    name = "c1" if words[0] == "checkpoint" else "c2"
    assert complaint in runtime.refusal(*words, name)
    runtime.must("delete", "--force", "c1")


def test_states_that_cannot_be_dumped(runtime: Runtime, tmp_path: Path) -> None:
    runtime.create("c1", tmp_path / "output")
    assert "container c1: it is created" in runtime.refusal("checkpoint", "c1")
    runtime.must("delete", "c1")
    assert "does not exist" in runtime.refusal("checkpoint", "c1")


def test_a_damaged_checkpoint_is_refused(runtime: Runtime) -> None:
    (runtime.bundle / "images").mkdir()
    for text in ("{", "[]", '{"mounts": [1], "streams": []}', "{}"):
        (runtime.bundle / "images/minirt.json").write_text(text)
        assert "minirt.json is damaged" in runtime.refusal("restore", *images(runtime), "c1")
    shutil.rmtree(runtime.bundle / "images")
    assert json.loads(runtime.must("list", "--format", "json")) == []
