"""What a person gets wrong: exit 125, a few clear lines, nothing made and nothing left."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
from pathlib import Path

import pytest
from steps import PYTHON, refused, run, state_root

NONE = ("--network", "none")
TRUE = ("--", "true")
MESSAGE = tuple[str, ...]

# step, arguments, what the message must say
WRONG: tuple[tuple[int, tuple[str, ...], MESSAGE], ...] = (
    (1, ("--nonsense",), ("--nonsense: is not an option",)),
    (1, ("--hostnme", "x"), ("--hostnme: is not an option", "--hostname")),
    (1, ("--quiet=yes",), ("--quiet: takes no value",)),
    (1, ("--hostname", "a", "--hostname", "b"), ("--hostname: was given twice",)),
    (1, ("--hostname", "a" * 65), ("--hostname", "at most 64")),
    (1, ("--volume", "/:/x"), ("--volume: is not an option of step 1", "minirt.step3")),
    (2, ("--memory", "64m"), ("--memory: is not an option of step 2", "minirt.step5")),
    (5, ("--userns",), ("--userns: is not an option of step 5", "minirt.step6")),
    (3, ("--rootfs", "/etc/passwd"), ("--rootfs: /etc/passwd is not a directory",)),
    (3, ("--rootfs", "/no/such"), ("--rootfs: /no/such does not exist",)),
    (3, ("--image", "no-such-image"), ("no-such-image", "busybox")),
    (3, ("--rootfs", "/", "--image", "busybox"), ("--rootfs", "--image")),
    (3, ("--volume", "/no/such:/x"), ("--volume: /no/such does not exist", "mkdir")),
    (3, ("--volume", "/etc"), ('"/etc" does not say where', "SRC:DST[:ro]")),
    (3, ("--trace", "/tmp"), ("--trace: /tmp is a directory", "name a file")),
    (7, (*NONE, "--trace", "/no/such/x"), ("--trace: cannot write below /no/such",)),
    (3, ("--volume", "/etc:relative"), ("--volume", "relative")),
    (3, ("--volume", ":/x"), ("--volume",)),
    (3, ("--volume", "/etc:/x:rx"), ('--volume: "rx" is neither ro nor rw',)),
    (3, ("--volume", "/etc:/"), ("--volume: the whole root",)),
    (3, ("--volume", "/etc/passwd:/bin"), ("/bin is a directory", "a file on a file")),
    (3, ("--volume", "/etc:/etc/passwd"), ("/etc/passwd", "ENOTDIR")),
    (3, ("--tmpfs", "relative"), ('--tmpfs: "relative" is not an absolute path',)),
    (3, ("--tmpfs", "/x:nonsense=1"), ("tmpfs: Unknown parameter 'nonsense'",)),
    (3, ("--tmpfs", "/x:size=lots"), ("tmpfs: Bad value for 'size'",)),
    (3, ("--tmpfs", "/"), ("--tmpfs: the whole root",)),
    (3, ("--env", "NOVALUE"), ("--env", "KEY=VALUE")),
    (3, ("--env", "=x"), ("--env", "KEY=VALUE")),
    (4, ("--network", "brigde"), ('--network: "brigde"', "bridge, none or host")),
    (4, ("--publish", "80"), ("--publish",)),
    (4, ("--publish", "99999:80"), ("--publish",)),
    (4, ("--publish", "x:80"), ("--publish",)),
    (5, (*NONE, "--memory", "1k"), ("--memory", "4")),
    (5, (*NONE, "--memory", "much"), ("--memory",)),
    (5, (*NONE, "--cpus", "0"), ("--cpus",)),
    (5, (*NONE, "--cpus", "nan"), ("--cpus",)),
    (5, (*NONE, "--pids", "-1"), ('--pids: "-1" is not a whole number of 1 or more',)),
    (5, (*NONE, "--io-bps", "fast"), ("--io-bps",)),
    (6, (*NONE, "--cap-add", "net_amdin"), ("--cap-add", "CAP_NET_ADMIN")),
    (6, (*NONE, "--cap-drop", "nothing"), ("--cap-drop",)),
    (6, (*NONE, "--seccomp", "strict"), ('--seccomp: "strict"', "default or unconfined")),
)


@pytest.mark.parametrize(("step", "arguments", "said"), WRONG, ids=lambda value: str(value)[:60])
def test_a_wrong_option_is_named_with_its_remedy(
    step: int, arguments: tuple[str, ...], said: MESSAGE
) -> None:
    message = refused(step, *arguments, *TRUE)
    for words in said:
        assert words in message
    assert not os.path.exists(state_root() / "containers") or not os.listdir(
        state_root() / "containers"
    )


def test_an_option_without_its_value_is_named() -> None:
    assert "--hostname: needs a value" in refused(1, "--hostname")


def test_a_published_port_in_use_is_refused_before_anything_is_made() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        message = refused(4, "--publish", f"{port}:80", *TRUE)
    assert str(port) in message
    assert "in use" in message


def small_disk(directory: Path, size: str) -> list[str]:
    """A wrapper that runs a command with a tmpfs of this size at `directory`."""
    script = f'mount -t tmpfs -o mode=755,size={size} tmpfs {directory}; exec "$@"'
    return ["unshare", "--mount", "sh", "-ec", script, "sh"]


@pytest.mark.parametrize("size", ["4k", "8k", "12k", "16k", "24k", "32k"])
def test_a_full_disk_under_the_state_directory_is_said(
    tmp_path: Path, size: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However far it comes with so few pages, it is an error with a remedy, or it works."""
    monkeypatch.setenv("MINIRT_STATE", str(tmp_path / "state"))
    (tmp_path / "state").mkdir()
    done = run(6, *NONE, *TRUE, wrapper=small_disk(tmp_path / "state", size))
    assert "Traceback" not in done.stderr
    if done.returncode:
        assert done.returncode == 125
        assert "No space left on device" in done.stderr
        assert "MINIRT_STATE" in done.stderr


def test_a_full_disk_is_met_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINIRT_STATE", str(tmp_path / "state"))
    (tmp_path / "state").mkdir()
    message = refused(6, *NONE, *TRUE, wrapper=small_disk(tmp_path / "state", "4k"))
    assert "make room there" in message


def test_a_container_that_fills_its_disk_is_told_so_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINIRT_STATE", str(tmp_path / "state"))
    (tmp_path / "state").mkdir()
    script = "cat /dev/zero >/big; rm /big; echo still here"
    done = run(3, "--", "sh", "-c", script, wrapper=small_disk(tmp_path / "state", "1m"))
    assert (done.returncode, done.stdout) == (0, "still here\n")
    assert "No space left on device" in done.stderr


def test_an_unwritable_state_directory_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINIRT_STATE", "/proc/self/nothing")
    message = refused(1, *TRUE)
    assert "cannot write to /proc/self/nothing" in message
    assert "set MINIRT_STATE" in message


def test_a_state_directory_that_is_a_file_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "state").touch()
    monkeypatch.setenv("MINIRT_STATE", str(tmp_path / "state"))
    assert "MINIRT_STATE" in refused(1, *TRUE)


def test_an_upper_directory_on_an_overlay_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in most containers of other engines: overlayfs does not stack its upperdir."""
    for name in ("lower", "upper", "work", "state"):
        (tmp_path / name).mkdir()
    options = "lowerdir=lower,upperdir=upper,workdir=work"
    script = f'cd {tmp_path}; mount -t overlay overlay -o {options} state; cd /; exec "$@"'
    wrapper = ["unshare", "--mount", "sh", "-ec", script, "sh"]
    monkeypatch.setenv("MINIRT_STATE", str(tmp_path / "state"))
    done = run(3, *TRUE, wrapper=wrapper)
    assert done.returncode == 125
    assert "MINIRT_STATE" in done.stderr


# The command is wrong: 126 or 127, as in a shell.


def commanded(status: int, *arguments: str, step: int = 3) -> str:
    done = run(step, *arguments)
    assert done.returncode == status, done
    assert done.stdout == ""
    assert done.stderr.startswith("minirt: ")
    return done.stderr


@pytest.mark.parametrize("step", [1, 3, 6])
def test_a_missing_command_is_127(step: int) -> None:
    options = NONE if step == 6 else ()
    assert "not found in $PATH" in commanded(127, *options, "--", "no-such-program", step=step)
    assert "no such file" in commanded(127, *options, "--", "/no/such/program", step=step)
    assert "no such file" in commanded(127, *options, "--", "./no-such-program", step=step)


@pytest.mark.parametrize("character", ["a", "\udcff"])
def test_a_very_long_command_is_an_error_like_another(character: str) -> None:
    """Init reports it in one packet."""
    said = commanded(127, "--", character * 100_000)
    assert "..." in said
    assert len(said) < 20_000


def test_an_empty_command_is_an_error() -> None:
    assert "must name a program" in refused(1, "--", "")


def test_what_cannot_be_executed_is_126() -> None:
    assert "permission denied" in commanded(126, "--", "/etc/passwd")
    assert "is a directory" in commanded(126, "--", "/etc")


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    return tmp_path


def program(volume: Path, content: bytes) -> tuple[str, ...]:
    """Arguments that run a file of this content."""
    (volume / "program").write_bytes(content)
    (volume / "program").chmod(0o755)
    return ("--volume", f"{volume}:/data", "--", "/data/program")


def elf(machine: int) -> bytes:
    ident = b"\x7fELF" + bytes((2, 1, 1)) + bytes(9)
    return ident + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0, 64, 0, 0, 64, 56, 0, 0, 0, 0)


def test_a_program_for_another_machine_is_named(volume: Path) -> None:
    other = {"x86_64": 183, "aarch64": 62}[os.uname().machine]
    said = commanded(126, *program(volume, elf(other)))
    assert "exec format error" in said
    assert "the program is for" in said
    assert f"this machine is {os.uname().machine}" in said


def test_a_file_that_is_no_program_is_named(volume: Path) -> None:
    assert "neither ELF nor a script" in commanded(126, *program(volume, b"just text\n"))
    assert "exec format error" in commanded(126, *program(volume, b""))


def test_a_missing_interpreter_is_named(volume: Path) -> None:
    said = commanded(127, *program(volume, b"#!/usr/bin/no-such-python -u\n"))
    assert "/usr/bin/no-such-python" in said


def test_a_missing_loader_is_named(volume: Path) -> None:
    """A program of the host's, which the image has no library for."""
    dynamic = Path("/bin/true").read_bytes()
    assert "does not exist in the container" in commanded(127, *program(volume, dynamic))


def test_windows_line_ends_are_named(volume: Path) -> None:
    assert "CRLF" in commanded(127, *program(volume, b"#!/bin/sh\r\necho hello\r\n"))


def test_errors_are_plain_where_they_are_not_read_by_a_person() -> None:
    done = run(1, "--nonsense")
    assert "\x1b" not in done.stderr


def test_help_is_no_error() -> None:
    for step in range(1, 7):
        done = run(step, "--help")
        assert (done.returncode, done.stderr) == (0, "")
        assert f"usage: python -m minirt.step{step}" in done.stdout
        assert "xamples:" in done.stdout


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_descriptors_are_no_error_and_not_the_hosts_inside(
    closed: str, tmp_path: Path
) -> None:
    """Else a file of the runtime's would take the number, and be the program's output."""
    script = "for n in 0 1 2; do readlink /proc/self/fd/$n; done >/data/seen; exit 5"
    argv = [*PYTHON, "-m", "minirt.step3", "--quiet", "--volume", f"{tmp_path}:/data"]
    command = f'{" ".join(argv)} -- sh -c "$1" {closed}'
    done = subprocess.run(["sh", "-c", command, "sh", script], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (5, b"")
    seen = (tmp_path / "seen").read_text().split()
    assert not [target for target in seen if "minirt" in target or target.startswith("socket:")]


@pytest.mark.parametrize("step", [1, 3])
def test_a_current_directory_that_was_removed(tmp_path: Path, step: int) -> None:
    argv = " ".join([*PYTHON, "-m", f"minirt.step{step}", "--quiet", "--", "pwd"])
    script = f"mkdir {tmp_path}/gone; cd {tmp_path}/gone; rmdir ../gone; {argv}"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    if step == 1:
        assert done.returncode == 125
        assert "current directory was removed" in done.stderr
    else:
        assert (done.returncode, done.stdout) == (0, "/\n")


def test_a_closed_output_is_no_traceback() -> None:
    command = " ".join([*PYTHON, "-m", "minirt.step6", "--plan", "|", "head", "-0"])
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""
