"""Which file would be executed, and why one cannot be."""

from __future__ import annotations

import errno
import os
import shutil
import struct
from pathlib import Path

import pytest

from minirt.errors import CommandError
from minirt.linux.executable import interpreter, machine
from minirt.linux.program import explain, look_up, refuse_magic_links

HOST = os.uname().machine


def make(path: Path, content: bytes = b"#!/bin/sh\n", mode: int = 0o755) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    return path


def asked(content: bytes, tmp_path: Path) -> str:
    fd = os.open(make(tmp_path / "file", content), os.O_RDONLY)
    try:
        return interpreter(fd)
    finally:
        os.close(fd)


def refusal(name: str, path: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        look_up(name, path)
    return caught.value


def test_the_first_in_path_that_can_be_executed_is_taken(tmp_path: Path) -> None:
    make(tmp_path / "a" / "tool", mode=0o644)
    (tmp_path / "b" / "tool").mkdir(parents=True)
    good = make(tmp_path / "c" / "tool")
    make(tmp_path / "d" / "tool")
    path = ":".join(f"{tmp_path}/{name}" for name in "abcd")
    assert look_up("tool", path) == str(good)


def test_a_name_with_a_slash_is_taken_as_it_is_and_missed_at_once(tmp_path: Path) -> None:
    good = str(make(tmp_path / "tool"))
    assert look_up(good, "/bin") == good
    assert refusal("./no/such", "/bin").exit_code == 127
    assert refusal(str(tmp_path), "/bin").exit_code == 126
    assert refusal(str(make(tmp_path / "text", mode=0o644)), "/bin").exit_code == 126
    assert str(refusal("./no/such", "/bin")) == "./no/such: no such file or directory"


def test_an_empty_part_of_path_is_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "tool")
    monkeypatch.chdir(tmp_path)
    assert look_up("tool", "/nowhere:") == "./tool"


def test_a_missing_one_is_127_and_one_that_is_not_executable_126(tmp_path: Path) -> None:
    make(tmp_path / "tool", mode=0o644)
    assert refusal("tool", str(tmp_path)).exit_code == 126
    missing = refusal("other", str(tmp_path))
    assert missing.exit_code == 127
    assert str(missing) == 'exec: "other": executable file not found in $PATH'
    assert str(tmp_path) in missing.hint


LINES = (
    (b"#!/bin/sh\n", "/bin/sh"),
    (b"#!/bin/sh", "/bin/sh"),
    (b"#! \t/bin/sh -x -y\n", "/bin/sh"),
    (b"#!/bin/sh\t-x\n", "/bin/sh"),
    (b"#!/bin/sh\r\n", "/bin/sh\r"),
    (b"#!\n", ""),
    (b"echo hello\n", ""),
    (b"", ""),
    (b"\x7fEL", ""),
    (b"\x7fELF", ""),
    (b"\x7fELF\x02\x01" + b"\xff" * 100, ""),
)


@pytest.mark.parametrize(("content", "expected"), LINES, ids=lambda value: repr(value)[:30])
def test_the_interpreter_is_what_the_kernel_reads(
    content: bytes, expected: str, tmp_path: Path
) -> None:
    assert asked(content, tmp_path) == expected


def test_the_loader_of_a_real_program_is_found() -> None:
    program = os.open(shutil.which("true") or "", os.O_RDONLY)
    try:
        assert Path(interpreter(program)).is_file()
        assert machine(program) == HOST
    finally:
        os.close(program)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    def said(content: bytes, number: int) -> CommandError:
        path = make(tmp_path / "program", content)
        return explain(str(path), OSError(number, os.strerror(number)))

    assert "interpreter /no/such" in str(said(b"#!/no/such\n", errno.ENOENT))
    assert "CRLF" in str(said(b"#!/bin/sh\r\n", errno.ENOENT))
    assert said(b"#!/no/such\n", errno.ENOENT).exit_code == 127
    text = said(b"hello", errno.ENOEXEC)
    assert (text.exit_code, str(text)[-17:]) == (126, "exec format error")
    assert "neither ELF nor a script" in text.hint
    arm = b"\x7fELF" + bytes((2, 1, 1)) + bytes(9) + struct.pack("<HH", 2, 40)
    assert said(arm, errno.ENOEXEC).hint == f"the program is for arm; this machine is {HOST}"


def test_a_directory_and_a_file_without_the_right_differ(tmp_path: Path) -> None:
    denied = OSError(errno.EACCES, os.strerror(errno.EACCES))
    assert "is a directory" in str(explain(str(tmp_path), denied))
    plain = make(tmp_path / "file", mode=0o644)
    assert explain(str(plain), denied).hint == "chmod +x the file"


def test_a_link_of_proc_is_refused_wherever_it_is_on_the_way(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/proc/self/exe")
    make(tmp_path / "script", f"#!{tmp_path}/link\n".encode())
    make(tmp_path / "second", f"#!{tmp_path}/script\n".encode())
    for name in ("link", "script", "second"):
        with pytest.raises(CommandError) as caught:
            refuse_magic_links(str(tmp_path / name))
        assert caught.value.exit_code == 126


def test_ordinary_links_and_what_execve_will_refuse_are_let_through(tmp_path: Path) -> None:
    (tmp_path / "shell").symlink_to("/bin/sh")
    os.mkfifo(tmp_path / "fifo")
    make(tmp_path / "unreadable", mode=0o111)
    for name in ("shell", "fifo", "unreadable", "missing", "."):
        refuse_magic_links(str(tmp_path / name))
