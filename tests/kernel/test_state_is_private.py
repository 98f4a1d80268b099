"""What a container leaves below the state root is nobody else's, and nobody else's is trusted."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from steps import PYTHON

from minirt import gc, state, state_root
from minirt.errors import HostError
from minirt.oci.program import perform

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY, UNUSED = 65534, 3_999_999_999
SCRIPT = "cp /bin/busybox /own; chmod 4755 /own; echo ready; read line"


def container(root: Path, *options: str) -> subprocess.Popen[str]:
    words = [*PYTHON, "-m", "minirt.step6", "--quiet", "--network", "none", *options]
    return subprocess.Popen(
        [*words, "--", "sh", "-c", SCRIPT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "MINIRT_STATE": str(root)},
    )


@pytest.mark.parametrize("options", [(), ("--userns",)])
def test_a_user_of_the_host_cannot_run_a_containers_set_user_id_file(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(0o755)
    with container(tmp_path / "state", *options) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        (directory,) = (tmp_path / "state" / "containers").iterdir()
        program = directory / "upper" / "own"
        assert program.stat().st_mode & 0o4000  # it is there
        words = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        ran = subprocess.run(
            [*words, "sh", "-c", f"exec {program} true"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 126
        assert "Permission denied" in ran.stderr
        process.communicate("\n", timeout=20)


def test_a_state_root_that_others_can_write_is_refused(tmp_path: Path) -> None:
    (tmp_path / "containers").mkdir()
    (tmp_path / "containers").chmod(0o777)
    with pytest.raises(HostError, match="another user"):
        gc.collect(str(tmp_path / "containers"), print)
    with pytest.raises(HostError, match="another user"):
        state.new(str(tmp_path / "containers"), "one")


def test_a_state_root_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "containers").mkdir()
    os.chown(tmp_path / "containers", NOBODY, NOBODY)
    with pytest.raises(HostError, match="another user"):
        gc.collect(str(tmp_path / "containers"), print)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where an ordinary user's containers are without XDG_RUNTIME_DIR: nobody's of this machine."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: UNUSED)
    where = Path("/tmp", str(UNUSED))
    yield where
    if where.is_symlink():
        where.unlink()
    else:
        where.rmdir()


@pytest.mark.parametrize("kind", ["directory", "link"])
@pytest.mark.parametrize("verb", [("list",), ("state", "c1"), ("delete", "--force", "c1")])
def test_what_somebody_else_has_put_into_tmp_is_not_taken_for_ours(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: tuple[str], kind: str
) -> None:
    if kind == "link":
        os.chown(tmp_path, UNUSED, UNUSED)
        place.symlink_to(tmp_path)
    else:
        place.mkdir()
        os.chown(place, NOBODY, NOBODY)
    assert perform(verb) == 1
    said = capsys.readouterr().err
    assert "another user" in said
    assert "XDG_RUNTIME_DIR" in said


def test_ones_own_directory_in_tmp_is_taken(place: Path) -> None:
    place.mkdir()
    os.chown(place, UNUSED, UNUSED)
    assert state_root.of_engines() == f"{place}/minirt-oci"


def test_a_removal_that_was_killed_is_finished(tmp_path: Path) -> None:
    record = state.new(str(tmp_path / "containers"), "one")
    directory = tmp_path / "containers" / "one"
    (directory / ".removed-1" / "a" / "b").mkdir(parents=True)
    (directory / "upper" / "a" / "b").mkdir(parents=True)
    record.unlock()
    assert gc.collect(str(tmp_path / "containers"), pytest.fail) == ["one"]
    assert not directory.exists()
