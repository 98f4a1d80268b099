"""--by-hand: the printed shell script makes the same container, and leaves nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from minirt.images import build

if TYPE_CHECKING:
    from pathlib import Path

PROBE = (
    "hostname; echo $$; readlink /proc/self/ns/uts /proc/self/ns/net; ls -d /etc/motd; "
    "grep CapBnd /proc/self/status; exit 7"
)


def by_hand(step: int, *options: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-I", "-m", f"minirt.step{step}", "--by-hand", "--hostname", "web"]
    script = subprocess.run(
        [*words, *options, "--", "sh", "-c", PROBE], capture_output=True, text=True, check=True
    ).stdout
    return subprocess.run(
        ["unshare", "--net", "sh", "-c", script],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5, 6])
def test_the_script_makes_what_the_step_makes(step: int) -> None:
    ran = by_hand(step)
    assert ran.returncode == 7, ran.stderr
    lines = ran.stdout.splitlines()
    assert lines[0] == "web"
    assert (lines[1] == "1") == (step >= 2)
    assert ("/etc/motd" in lines) == (
        step >= 3 or subprocess.call(["test", "-e", "/etc/motd"]) == 0
    )
    assert ("a80425fb" in lines[-1]) == (step == 6)


def test_the_script_quotes_what_the_user_gave() -> None:
    words = [sys.executable, "-I", "-m", "minirt.step3", "--by-hand", "--", "echo", "a b", "it's"]
    script = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    ran = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert ran.stdout == "a b it's\n"


def test_no_path_is_executed_or_expanded(tmp_path: Path) -> None:
    """Names with all that means something to a shell, as a volume, a layer and a mount point."""
    name = """it's $(id) `id` $HOME "x\\"""
    root = tmp_path / "$(exit 3)"
    (root / "bin").mkdir(parents=True)
    for program in ("sh", "umount", "rmdir"):
        shutil.copy(f"{build.ensure().layers[0]}/bin/busybox", root / "bin" / program)
    volume = tmp_path / "volume $HOME"
    volume.mkdir()
    (volume / "file").write_text("")
    options = ("--rootfs", str(root), "--volume", f"{volume}:/{name}", "--tmpfs", f"/t{name}")
    words = [sys.executable, "-I", "-m", "minirt.step3", "--by-hand", *options]
    script = subprocess.run(
        [*words, "--", "sh", "-c", "echo /*; echo $0", "$HOME"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    environment = {**os.environ, "TMPDIR": str(tmp_path / "scripts")}
    (tmp_path / "scripts").mkdir()
    ran = subprocess.run(
        ["sh", "-c", script],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False,
        env=environment,
    )  # fmt: skip
    assert ran.stderr == ""
    assert ran.stdout == f"/bin /dev /{name} /proc /sys /t{name}\n$HOME\n"
    assert list((tmp_path / "scripts").iterdir()) == []


def test_a_user_namespace_of_root_is_refused_with_the_reason() -> None:
    words = [sys.executable, "-I", "-m", "minirt.step6", "--by-hand", "--userns"]
    ran = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ran.returncode == 125
    assert "--userns" in ran.stderr
