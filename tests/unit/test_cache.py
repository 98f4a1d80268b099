"""Where files are kept, and who may write them there."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from minirt.errors import HostError
from minirt.host import cache
from minirt.linux.mountinfo import Mount

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "minirt"


def test_the_cache_lies_where_xdg_says(home: Path) -> None:
    assert cache.directory() == str(home)
    assert home.is_dir()


def test_the_cache_is_readable_whatever_the_umask(home: Path) -> None:
    umask = os.umask(0o077)
    try:
        made = cache.make_directories(f"{cache.directory()}/layers/sha256")
    finally:
        os.umask(umask)
    assert os.stat(made).st_mode & 0o777 == os.stat(home).st_mode & 0o777 == 0o755


def test_a_cache_that_others_can_write_is_refused(home: Path) -> None:
    home.mkdir()
    home.chmod(0o777)
    with pytest.raises(HostError, match="could be changed by another user") as refused:
        cache.directory()
    assert f"chmod go-w {home}" in refused.value.hint


def test_a_drive_of_windows_is_recognised() -> None:
    lines = (
        "1 0 8:1 / / rw - ext4 /dev/sdc rw",
        "2 1 0:50 / /mnt/c rw,noatime - 9p C:\\134 rw,aname=drvfs;path=C:\\134",
    )
    table = [Mount(line) for line in lines]
    assert cache.on_windows_drive("/mnt/c/Users/me/.cache", table)
    assert not cache.on_windows_drive("/home/me/.cache", table)


def test_what_a_killed_writer_left_is_gone(home: Path) -> None:
    (home / "images.scratch").mkdir(parents=True)
    (home / "images.scratch" / "half").write_text("half")
    with cache.Writing("images") as scratch:
        assert os.listdir(scratch) == []
    assert not os.path.exists(scratch)


def test_a_full_disk_is_an_error_of_the_host(home: Path) -> None:
    with pytest.raises(HostError, match=f"cannot write to the cache {home}: No space"):  # noqa: SIM117
        with cache.Writing("images"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert not (home / "images.scratch").exists()


COUNT = """
from minirt.host import cache
with cache.Writing("counter"):
    path = cache.directory() + "/count"
    try:
        number = int(open(path).read())
    except FileNotFoundError:
        number = 0
    open(path, "w").write(str(number + 1))
"""


def test_one_writer_at_a_time(home: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", COUNT]) for _ in range(8)]
    assert [writer.wait() for writer in writers] == [0] * 8
    assert (home / "count").read_text() == "8"
