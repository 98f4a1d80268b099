"""Layers are unpacked as they say, and never outside their directory."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from typing import TYPE_CHECKING

import pytest

from minirt.errors import MinirtError
from minirt.images import unpack

if TYPE_CHECKING:
    from pathlib import Path


def archive(path: Path, *members: tarfile.TarInfo) -> str:
    with tarfile.open(path, "w") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(b"x" * member.size))
    return str(path)


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.uid, info.gid = kind, link, os.getuid(), os.getgid()
    info.size = 1 if kind == tarfile.REGTYPE else 0
    info.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    return info


SYM, DIR = tarfile.SYMTYPE, tarfile.DIRTYPE


@pytest.mark.parametrize(
    "hostile",
    [
        [("link", SYM, "{outside}"), ("link/file", tarfile.REGTYPE, "")],
        [("link", SYM, "../outside"), ("link/file", tarfile.REGTYPE, "")],
        [("link", SYM, "{outside}"), ("link", DIR, "")],
        [("link", SYM, "../outside"), ("link", DIR, "")],
        [("link", SYM, "{outside}"), ("link/.wh.secret", tarfile.REGTYPE, "")],
        [("link", SYM, "{outside}"), ("hard", tarfile.LNKTYPE, "link/secret")],
        [("hard", tarfile.LNKTYPE, "../outside/secret")],
        [("../../outside/file", tarfile.REGTYPE, "")],
        [("{outside}/file", tarfile.REGTYPE, "")],
    ],
)
def test_no_layer_reaches_outside_its_directory(
    tmp_path: Path, hostile: list[tuple[str, bytes, str]]
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o700)
    (outside / "secret").write_text("secret")
    members = [
        member(name.format(outside=outside), kind, link.format(outside=outside))
        for name, kind, link in hostile
    ]
    try:
        unpack.layer(archive(tmp_path / "hostile.tar", *members), str(tmp_path / "layer"))
    except (OSError, MinirtError):
        pass  # refused is as good as contained
    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert (outside / "secret").stat().st_nlink == 1
    assert outside.stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hostile.tar", "layer", "outside"]


def test_an_unpacked_layer_keeps_modes_times_and_hard_links(tmp_path: Path) -> None:
    program = member("bin/su")
    program.mode, program.mtime = 0o4755, 1_000_000
    names = archive(
        tmp_path / "layer.tar",
        program,
        member("bin/linked", tarfile.LNKTYPE, "bin/su"),
        member("pipe", tarfile.FIFOTYPE),
    )
    unpack.layer(names, str(tmp_path / "layer"))
    found = (tmp_path / "layer/bin/su").stat()
    assert stat.S_IMODE(found.st_mode) == 0o4755
    assert found.st_mtime == 1_000_000
    assert (tmp_path / "layer/bin/linked").stat().st_ino == found.st_ino
    assert (tmp_path / "layer/pipe").is_fifo()
    assert unpack.matches(names, str(tmp_path / "layer"))


def test_whiteouts_become_what_overlayfs_means_by_them(tmp_path: Path) -> None:
    names = archive(tmp_path / "layer.tar", member("etc/.wh.issue"), member("srv/.wh..wh..opq"))
    unpack.layer(names, str(tmp_path / "layer"))
    whiteout = (tmp_path / "layer/etc/issue").lstat()
    assert stat.S_ISCHR(whiteout.st_mode)
    assert whiteout.st_rdev == 0
    attribute = "user.overlay.opaque" if os.geteuid() else "trusted.overlay.opaque"
    assert os.getxattr(tmp_path / "layer/srv", attribute) == b"y"
