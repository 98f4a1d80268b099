"""Buildah: a container for each step of a build, whose state is asked ten times a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from buildah import buildah as client
from engine import IMAGE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine import Engine

FILE = f"""\
FROM {IMAGE}
RUN mkdir /made && echo here > /made/file
WORKDIR /made
RUN test "$(cat file)" = here && id -u > user
USER 65534
RUN id -u > /tmp/user
"""


@pytest.fixture(scope="module")
def buildah(scratch: Path, archive: Path, launcher: str) -> Iterator[Engine]:
    engine = client(scratch / "buildah", archive, launcher)
    yield engine
    engine.must("rm", "--all")


@pytest.fixture
def working(buildah: Engine) -> str:
    return buildah.must("from", "--pull-never", IMAGE)


def test_run(buildah: Engine, working: str) -> None:
    assert "process 1" in buildah.must("run", working, "hello")
    assert buildah.call("run", working, "sh", "-c", "exit 7").returncode == 7
    assert buildah.call("run", working, "nonesuch").returncode != 0


def test_run_at_a_terminal(buildah: Engine, working: str) -> None:
    assert "/dev/pts/0" in buildah.typed("run", "--terminal", working, "tty").stdout


def test_run_as_someone(buildah: Engine, working: str) -> None:
    assert buildah.must("run", "--user", "65534:65534", working, "id", "-u") == "65534"


def test_a_build(buildah: Engine, tmp_path: Path) -> None:
    (tmp_path / "Containerfile").write_text(FILE)
    options = ("--pull-never", "--no-cache", "--quiet", "--tag", "localhost/built")
    buildah.must("bud", *options, str(tmp_path))
    made = buildah.must("from", "--pull-never", "localhost/built")
    assert buildah.must("run", made, "cat", "user", "/tmp/user") == "0\n65534"


def test_a_step_that_fails_ends_the_build(buildah: Engine, tmp_path: Path) -> None:
    (tmp_path / "Containerfile").write_text(f"FROM {IMAGE}\nRUN exit 5\n")
    done = buildah.call("bud", "--pull-never", str(tmp_path))
    assert done.returncode == 5
    assert "exit status 5" in done.stderr
