"""A small image to boot, and the proof that no VM outlives a test."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from minirt.host import debs
from minirt.vm.initramfs import busybox

if TYPE_CHECKING:
    from collections.abc import Iterator

Layers = tuple[str, str]
APPLETS = (
    "cat", "env", "false", "head", "hostname", "id", "kill", "ls", "printf", "sh", "sha256sum",
    "sleep", "touch", "true", "uname", "yes",
)  # fmt: skip


@pytest.fixture(scope="session")
def layers(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """An image of two layers: a busybox, and above it a file and a whiteout."""
    low, high = (tmp_path_factory.mktemp(name) for name in ("low", "high"))
    (low / "bin").mkdir()
    (low / "tmp").mkdir(mode=0o777)
    program = low / "bin" / "busybox"
    program.write_bytes(busybox(debs.fetch("busybox-static")))
    program.chmod(0o755)
    for name in APPLETS:
        (low / "bin" / name).symlink_to("busybox")
    (low / "hidden").write_text("of the lower layer\n")
    (high / ".wh.hidden").touch()
    (high / "motd").write_text("of the upper layer\n")
    return str(low), str(high)


def qemus() -> set[int]:
    """The QEMU processes that this process and those it started have started."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                environment = (entry / "environ").read_bytes()
                name = (entry / "comm").read_text()
            except OSError:
                continue
            if name.startswith("qemu-system") and marker().encode() in environment:
                found.add(int(entry.name))
    return found


def marker() -> str:
    """An environment variable that tells this test run's processes from others'."""
    return f"MINIRT_TEST_RUN={os.getpid()}"


@pytest.fixture(autouse=True)
def _no_vm_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    name, _, value = marker().partition("=")
    monkeypatch.setenv(name, value)
    yield
    left = qemus()
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left
