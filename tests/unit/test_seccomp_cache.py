"""The cache of compiled filters: used when it is right, passed over when it is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from minirt.linux import caps
from minirt.seccomp import cache as seccomp_cache
from minirt.seccomp import compiler as seccomp_compile
from minirt.seccomp.cache import default_program, program

PROFILE = {
    "defaultAction": "SCMP_ACT_ERRNO",
    "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}],
}


@pytest.fixture
def cache(tmp_path: Path) -> str:
    return f"{tmp_path}/made/on/demand"


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Everything that is compiled during the test."""
    calls: list[object] = []
    real = seccomp_compile.compile_profile

    def record(profile: dict[str, object]) -> bytes:
        calls.append(profile)
        return real(profile)  # type: ignore[arg-type]

    monkeypatch.setattr(seccomp_compile, "compile_profile", record)
    return calls


def only_file(cache: str) -> Path:
    (path,) = Path(cache).iterdir()
    return path


def test_a_program_is_compiled_once(cache: str, compiled: list[object]) -> None:
    first = program(PROFILE, cache)
    assert program(PROFILE, cache) == first
    assert len(compiled) == 1
    assert len(first) % 8 == 0


def test_the_file_is_the_users_alone_and_no_other_is_left(cache: str) -> None:
    program(PROFILE, cache)
    assert only_file(cache).stat().st_mode & 0o777 == 0o600


def test_another_profile_or_other_capabilities_are_another_program(
    cache: str, compiled: list[object]
) -> None:
    program(PROFILE, cache)
    program({**PROFILE, "defaultErrnoRet": 13}, cache)
    default_program(caps.DEFAULT, cache)
    default_program(caps.DEFAULT[1:], cache)
    assert len(compiled) == 4
    default_program(caps.DEFAULT[::-1], cache)
    assert len(compiled) == 4


def test_another_version_of_the_library_compiles_again(
    cache: str, compiled: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    program(PROFILE, cache)
    monkeypatch.setattr(seccomp_cache, "_library", lambda: "99.0")
    program(PROFILE, cache)
    assert len(compiled) == 2


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    path.chmod(0o600)
    if how == "empty":
        path.write_bytes(b"")
    elif how == "cut short":
        path.write_bytes(content[:-8])
    elif how == "one bit":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif how == "writable by others":
        path.chmod(0o622)
    elif how == "a link":
        elsewhere = path.parent.parent / "elsewhere"
        path.rename(elsewhere)
        path.symlink_to(elsewhere)
    elif how == "a pipe":
        path.unlink()
        os.mkfifo(path)


@pytest.mark.parametrize(
    "how", ["empty", "cut short", "one bit", "writable by others", "a link", "a pipe"]
)
def test_a_file_that_cannot_be_trusted_is_passed_over_and_replaced(
    cache: str, compiled: list[object], how: str
) -> None:
    right = program(PROFILE, cache)
    damage(only_file(cache), how)
    assert program(PROFILE, cache) == right
    assert len(compiled) == 2
    assert only_file(cache).is_file()
    assert not only_file(cache).is_symlink()
    program(PROFILE, cache)
    assert len(compiled) == 2


def test_a_right_program_under_anothers_name_is_not_taken(
    cache: str, compiled: list[object]
) -> None:
    program(PROFILE, cache)
    weaker = only_file(cache)
    program({**PROFILE, "defaultErrnoRet": 13}, cache)
    (stricter,) = (path for path in Path(cache).iterdir() if path != weaker)
    weaker.rename(stricter)
    program({**PROFILE, "defaultErrnoRet": 13}, cache)
    assert len(compiled) == 3


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    assert program(PROFILE, f"{tmp_path}/file/cache")
