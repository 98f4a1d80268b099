"""Merged layers look as the kernel's overlayfs shows them, and a guest sees them so."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from minirt.vm import rootimage
from minirt.vm.layers import merge

LIST = "cd {} && find . -exec stat -c '%n %f %u %g %t %T %N' {{}} + | sort"


def fill(directory: Path, *, low: bool) -> str:
    """One of two layers that meet in every way there is."""
    directory.mkdir()
    for name in ("both", "opaque", "emptied"):
        (directory / name).mkdir()
    if low:
        for path in ("both/a", "both/hidden", "opaque/old", "file", "emptied/a"):
            (directory / path).write_text("low")
        (directory / "was-directory" / "deep").mkdir(parents=True)
        (directory / "link").symlink_to("both")
        (directory / "suid").write_text("low")
        os.chown(directory / "suid", 1000, 1001)
        (directory / "suid").chmod(0o4755)
        os.mkfifo(directory / "fifo")
        os.mknod(directory / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        return str(directory)
    (directory / "both" / "b").write_text("high")
    (directory / "both").chmod(0o700)
    (directory / "opaque" / "new").write_text("high")
    os.setxattr(directory / "opaque", "trusted.overlay.opaque", b"y")
    (directory / "file").mkdir()
    (directory / "was-directory").write_text("high")
    (directory / "link").mkdir()
    for path in ("both/hidden", "emptied/a"):
        os.mknod(directory / path, stat.S_IFCHR, 0)
    return str(directory)


def listing(directory: str, *, before: str = "") -> list[str]:
    script = f"{before}{LIST.format(directory)}"
    done = subprocess.run(
        ["unshare", "-m", "sh", "-ec", script], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


@pytest.fixture
def image(tmp_path: Path) -> tuple[str, str]:
    return fill(tmp_path / "low", low=True), fill(tmp_path / "high", low=False)


def test_merged_layers_are_what_overlayfs_shows(image: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "mnt").mkdir()
    mount = f"mount -t overlay -o lowerdir={image[1]}:{image[0]} overlay {tmp_path}/mnt; "

    merge(image, str(tmp_path / "merged"))

    assert listing(str(tmp_path / "merged")) == listing(str(tmp_path / "mnt"), before=mount)


def test_whiteout_files_of_an_archive_count_too(tmp_path: Path) -> None:
    low, high = tmp_path / "low", tmp_path / "high"
    for path in ("low/gone", "low/opaque", "high/opaque"):
        (tmp_path / path).mkdir(parents=True)
    (low / "opaque" / "old").touch()
    (high / ".wh.gone").touch()
    (high / "opaque" / ".wh..wh..opq").touch()

    merge([str(low), str(high)], str(tmp_path / "merged"))

    assert sorted(os.listdir(tmp_path / "merged")) == ["opaque"]
    assert os.listdir(tmp_path / "merged" / "opaque") == []


def test_a_disk_is_made_once_for_the_same_content(image: tuple[str, str]) -> None:
    first = rootimage.build(image)
    made = os.stat(first).st_mtime_ns

    assert rootimage.build(image) == first
    assert os.stat(first).st_mtime_ns == made

    Path(image[1], "both", "b").write_text("HIGH")
    changed = rootimage.build(image)
    assert changed != first
    for disk in (first, changed):
        os.unlink(disk)


def test_the_order_of_layers_matters(image: tuple[str, str]) -> None:
    assert rootimage.fingerprint(image) != rootimage.fingerprint(image[::-1])
