"""Terminals: made inside, their master sent to whoever asked, and relayed in the foreground."""

from __future__ import annotations

import array
import fcntl
import json
import os
import pty
import select
import socket
import struct
import subprocess
import termios
import time
from typing import TYPE_CHECKING

import oci
import pytest
from oci import Runtime

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any, Self

PTS = {
    "destination": "/dev/pts", "type": "devpts", "source": "devpts",
    "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
}  # fmt: skip
PATIENCE_S = 10.0


class Socket:
    """A socket in the file system that is sent descriptors."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(self.path)
        self.listening.listen()
        self.listening.settimeout(PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.listening.close()

    def received(self) -> tuple[bytes, int]:
        """The data and the descriptor of one message."""
        connection, _ = self.listening.accept()
        with connection:
            data, rights, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4))
        return data, array.array("i", rights[0][2])[0]


def seen(master: int, text: str) -> str:
    """What comes out of a terminal, until `text` has."""
    screen = ""
    deadline = time.monotonic() + PATIENCE_S
    while text not in screen:
        assert time.monotonic() < deadline, screen
        if select.select([master], [], [], 0.05)[0]:
            screen += os.read(master, 65536).decode()
    return screen


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    made = Runtime(tmp_path, "sh", "-c", "tty; stty size; ls -ln /dev/console; exec sh -i")
    made.config["mounts"].append(PTS)
    made.config["process"]["terminal"] = True
    made.config["process"]["env"].append("PS1=> ")
    return made


def test_the_master_goes_to_the_console_socket(runtime: Runtime, tmp_path: Path) -> None:
    runtime.config["process"] |= {"consoleSize": {"height": 33, "width": 77}}
    runtime.config["process"]["user"] = {"uid": 7, "gid": 7}
    with Socket(tmp_path / "console.sock") as console:
        words = ("create", "--console-socket", console.path, "c1")
        runtime.must(*words, capture_output=False, stdout=subprocess.DEVNULL)
        data, master = console.received()
    assert data == b"/dev/ptmx"
    runtime.must("start", "c1")
    screen = seen(master, "> ")
    assert "/dev/pts/0" in screen
    assert "33 77" in screen
    console_line = next(line for line in screen.splitlines() if "/dev/console" in line)
    assert console_line.split()[2] == "7"
    os.write(master, b"echo $((6*7)) > /dev/console; echo > /dev/tty && echo controlled\n")
    assert "42" in seen(master, "\ncontrolled")
    os.write(master, b"kill -INT $$; exit 3\n")
    os.close(master)
    runtime.must("delete", "--force", "c1")


def test_dev_console_is_made_under_a_read_only_root(runtime: Runtime, tmp_path: Path) -> None:
    runtime.config["root"]["readonly"] = True
    runtime.config["mounts"][1]["options"] = ["nosuid", "mode=755"]
    with Socket(tmp_path / "console.sock") as console:
        words = ("create", "--console-socket", console.path, "c1")
        runtime.must(*words, capture_output=False, stdout=subprocess.DEVNULL)
        _, master = console.received()
    runtime.must("start", "c1")
    assert "/dev/console" in seen(master, "> ")
    os.close(master)
    runtime.must("delete", "--force", "c1")


def test_a_terminal_and_a_socket_go_together(runtime: Runtime, tmp_path: Path) -> None:
    assert (
        "cannot allocate tty if runc will detach without setting console socket"
        in runtime.refusal("create", "c1")
    )
    runtime.config["process"]["terminal"] = False
    words = ("create", "--console-socket", str(tmp_path / "s"), "c1")
    said = "cannot use console socket if runc will not detach or allocate tty"
    assert said in runtime.refusal(*words)


def test_a_socket_that_nobody_listens_at_undoes_the_container(
    runtime: Runtime, tmp_path: Path
) -> None:
    words = ("create", "--console-socket", str(tmp_path / "no.sock"), "c1")
    assert "no such file or directory" in runtime.refusal(*words)
    assert os.listdir(runtime.root) == []


def test_exec_gets_a_terminal_of_its_own(runtime: Runtime, tmp_path: Path) -> None:
    runtime.config["process"] |= {"terminal": False, "args": ["sleep", "60"]}
    runtime.start("c1", tmp_path / "output")
    process = {
        "args": ["sh", "-c", "tty; stty size; exec sleep 60"], "terminal": True, "cwd": "/",
        "env": ["PATH=/bin"], "consoleSize": {"height": 11, "width": 22},
    }  # fmt: skip
    file, pid = tmp_path / "process.json", tmp_path / "pid"
    file.write_text(json.dumps(process))
    with Socket(tmp_path / "console.sock") as console:
        words = ("exec", "-d", "-p", str(file), "--pid-file", str(pid))
        words = (*words, "--console-socket", console.path, "c1")
        runtime.must(*words, capture_output=False, stdout=subprocess.DEVNULL)
        _, master = console.received()
    assert "/dev/pts/0" in seen(master, "11 22")
    os.close(master)  # a hangup for its session
    os.waitpid(int(pid.read_text()), 0)
    runtime.must("delete", "--force", "c1")


def test_what_is_no_ptmx_makes_no_terminal(runtime: Runtime, tmp_path: Path) -> None:
    runtime.config["process"] |= {"terminal": False, "args": ["sleep", "60"]}
    runtime.start("c1", tmp_path / "output")
    runtime.must("exec", "c1", "sh", "-c", "rm /dev/ptmx; ln -s /dev/zero /dev/ptmx")
    with Socket(tmp_path / "console.sock") as console:
        words = ("exec", "-d", "-t", "--console-socket", console.path, "c1", "true")
        assert "/dev/ptmx inside does not make terminals" in runtime.refusal(*words)
    runtime.must("delete", "--force", "c1")


@pytest.mark.parametrize("verb", ["run", "exec"])
def test_in_the_foreground_the_callers_terminal_is_relayed(
    runtime: Runtime, tmp_path: Path, verb: str
) -> None:
    words = [*oci.PROGRAM, "--root", str(runtime.root), "run", "c1"]
    if verb == "exec":
        runtime.config["process"] |= {"terminal": False, "args": ["sleep", "60"]}
        runtime.start("c1", tmp_path / "output")
        words[-2:] = ["exec", "-t", "c1", "sh", "-c", "tty; stty size; exec sh -i"]
    (runtime.bundle / "config.json").write_text(json.dumps(runtime.config))
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 44, 99, 0, 0))
    before = termios.tcgetattr(slave)
    with subprocess.Popen(
        ["setsid", "--ctty", "--wait", *words],
        cwd=runtime.bundle,
        stdin=slave,
        stdout=slave,
        stderr=slave,
    ) as process:
        assert "/dev/pts/0" in seen(master, "> ")
        os.write(master, b"stty size; exit 6\n")
        assert "44 99" in seen(master, "44 99")
        assert process.wait(PATIENCE_S) == 6
    assert termios.tcgetattr(slave) == before
    os.close(master)
    os.close(slave)
    if verb == "exec":
        runtime.must("delete", "--force", "c1")


@pytest.mark.parametrize("given", ["stdin", "stderr", "nothing but a controlling terminal"])
def test_what_the_terminal_shows_goes_to_our_output(runtime: Runtime, given: str) -> None:
    """Whoever reads our output, at a terminal or not, sees all that the program printed."""
    runtime.config["process"]["args"] = ["sh", "-c", "read line; stty size; echo said $line"]
    (runtime.bundle / "config.json").write_text(json.dumps(runtime.config))
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 44, 99, 0, 0))
    streams: dict[str, Any] = {"stdin": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    streams |= {given: slave} if given in streams else {}
    call = [*oci.PROGRAM, "--root", str(runtime.root), "run", "c1"]
    with subprocess.Popen(
        call,
        cwd=runtime.bundle,
        stdout=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(slave, termios.TIOCSCTTY, 0),  # noqa: PLW1509
        **streams,
    ) as process:
        if process.stdin:
            process.stdin.write(b"hello\n")
            process.stdin.flush()
        else:
            os.write(master, b"hello\n")
        assert process.stdout is not None
        shown = process.stdout.read().decode()
        assert process.wait(PATIENCE_S) == 0
    assert shown.endswith("44 99\nsaid hello\n")
    os.close(master)
    os.close(slave)


def test_without_a_terminal_here_there_is_none_to_relay(runtime: Runtime) -> None:
    said = runtime.refusal("run", "c1", start_new_session=True)
    assert "standard input is no terminal" in said
    assert r"set \"terminal\": false in config.json" in said
