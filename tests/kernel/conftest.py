"""Every test here ends by proving that it left nothing behind."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import leaks
import oci
import pytest

from minirt.oci import guard, install
from minirt.oci.interpreter import chosen

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session", autouse=True)
def _as_root() -> None:
    if os.geteuid() != 0:
        pytest.fail("these tests ask the kernel for what only root may have: run them as root")
    leaks.adopt_orphans()


@pytest.fixture(scope="session")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory on disk that every user may enter, unlike pytest's own."""
    tmp_path_factory.getbasetemp()  # made at its first use: before TMPDIR points elsewhere
    made = Path(tempfile.mkdtemp(prefix="minirt-tests-", dir="/var/tmp"))
    made.chmod(0o711)
    for name in ("state", "tmp"):
        (made / name).mkdir()
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="session", autouse=True)
def _launcher(playground: Path) -> Iterator[None]:
    """Engines call an installed launcher, which runs from a read-only mount of its interpreter."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MINIRT_STATE", str(playground / "launcher/state"))
        target = str(playground / "launcher/minirt-oci")
        python = chosen()[0]
        install.install(target, python)
        assert guard.mounted(install.place(python.path), python.path)
        oci.PROGRAM[:] = [target]
        yield
        install.uninstall(target)


@pytest.fixture(autouse=True)
def _leaves_nothing(playground: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give the test a state and a temporary directory, and compare the machine afterwards."""
    monkeypatch.setenv("MINIRT_STATE", str(playground / "state"))
    monkeypatch.setenv("TMPDIR", str(playground / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", None)  # read TMPDIR again
    watched = (playground / "state" / "containers", playground / "tmp")
    before = leaks.snapshot(*watched)
    yield
    found = leaks.left(before, *watched)
    assert not found, f"left behind: {found}"
