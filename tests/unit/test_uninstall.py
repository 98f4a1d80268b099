"""Removing what minirt left: asked for by nothing but the plain command, and whole."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from minirt.errors import HostError
from minirt.host import cache, uninstall

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "module", ["minirt.host.uninstall", "minirt.host.packages", "minirt.images"]
)
@pytest.mark.parametrize(("option", "status"), [("--help", 0), ("--bogus", 2)])
def test_help_and_a_wrong_option_do_nothing(
    module: str, option: str, status: int, tmp_path: Path
) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    argv = [sys.executable, "-m", module, option]
    done = subprocess.run(
        argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == status
    assert f"usage: python -m {module}" in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


def test_no_at_the_terminal_leaves_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _question: "")
    monkeypatch.setattr(uninstall, "_uninstall", lambda: pytest.fail("it was done"))
    assert uninstall.main([]) == 1


def test_the_cache_is_removed_when_its_writer_is_done(tmp_path: Path) -> None:
    place = tmp_path / "minirt"
    place.mkdir()
    with (place / "images.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        remover = threading.Thread(target=cache.remove_all, args=(str(place),))
        remover.start()
        remover.join(0.2)
        assert place.exists()
    remover.join(10)
    assert not place.exists()


def test_what_stays_is_named_and_the_rest_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "minirt"
    for name in ("busy", "free"):
        (place / name).mkdir(parents=True)
    rmdir = os.rmdir

    def busy(path: str, **options: int) -> None:
        if path.endswith("busy"):
            raise OSError(16, "Device or resource busy")
        rmdir(path, **options)

    monkeypatch.setattr(os, "rmdir", busy)
    with pytest.raises(HostError, match=r"busy: .*Device or resource busy"):
        cache.remove_all(str(place))
    assert os.listdir(place) == ["busy"]
