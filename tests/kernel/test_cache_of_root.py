"""Root trusts no cache that someone else could write, and leaves nothing of root's with others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ordinary import Ordinary

from minirt.host import cache
from minirt.images import build

if TYPE_CHECKING:
    import pytest

SOMEONE = 1234  # an id that owns nothing here; it needs no account
ROOT = Path(__file__).parent.parent.parent


def test_roots_cache_is_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache.directory() == "/var/cache/minirt"


def test_root_ignores_the_cache_that_sudo_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    os.chown(theirs, SOMEONE, SOMEONE)
    for chosen in (theirs, theirs / "not" / "there"):
        monkeypatch.setenv("XDG_CACHE_HOME", str(chosen))
        assert cache.directory() == "/var/cache/minirt"
    assert list(theirs.iterdir()) == []


def test_root_ignores_a_cache_below_a_directory_of_someone_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = tmp_path / "theirs" / "roots"
    inner.mkdir(parents=True)
    os.chown(inner.parent, SOMEONE, SOMEONE)  # whoever owns it can put another one there
    monkeypatch.setenv("XDG_CACHE_HOME", str(inner))
    assert cache.directory() == "/var/cache/minirt"


def test_what_root_made_for_the_caller_goes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_UID", str(SOMEONE))
    monkeypatch.setenv("SUDO_GID", str(SOMEONE))
    with (tmp_path / "trace").open("w") as file:
        cache.give_back(file.fileno())
    assert (tmp_path / "trace").stat().st_uid == SOMEONE


def test_an_ordinary_user_builds_the_same_image(tmp_path: Path) -> None:
    """Whiteouts and all: same digest, every file the user's own."""
    script = "from minirt.images import build; i = build.ensure(); print(i.digest, *i.layers)"
    done = Ordinary(tmp_path, SOMEONE).run("-c", script)
    assert done.returncode == 0, done.stderr
    digest, *layers = done.stdout.split()
    assert digest == build.ensure().digest
    assert all(layer.startswith(str(tmp_path)) for layer in layers)
    owners = {path.lstat().st_uid for layer in layers for path in Path(layer).rglob("*")}
    assert owners == {SOMEONE}


def test_installing_without_root_says_what_to_type(tmp_path: Path) -> None:
    script = """
from minirt.host import packages
packages.NEEDS = (packages.Need("run", "sl", "no-such-program", "trains"),)
raise SystemExit(packages.main(["run"]))
"""
    done = Ordinary(tmp_path, SOMEONE).run("-c", script)
    assert done.returncode == 1
    assert "missing: sl (trains)" in done.stderr
    assert "sudo apt-get install -y --no-install-recommends sl" in done.stderr


def test_an_unusable_cache_home_is_named() -> None:
    script = "from minirt.images import store; print(store.directory())"
    done = subprocess.run(
        [sys.executable, "-B", "-c", script],
        env={**os.environ, "XDG_CACHE_HOME": "/proc/1"},
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert "cannot write to the cache /proc/1/minirt" in done.stderr
