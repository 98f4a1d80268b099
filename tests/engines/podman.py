"""Podman, told of the runtime by a file of settings, with storage of its own."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from engine import SETTINGS, Engine

if TYPE_CHECKING:
    from collections.abc import Iterator

OURS = 'events_logger = "file"\nruntime = "minirt"\n'


@contextmanager
def podman_in(where: Path, archive: Path) -> Iterator[Engine]:
    """Its client, with our image in its storage below `where`; no container is left at the end."""
    where.mkdir()
    Path("/etc/containers/containers.conf.d/zz-tests.conf").write_text(SETTINGS + OURS)
    roots = ("--root", str(where / "storage"), "--runroot", str(where / "run"))
    engine = Engine("podman", *roots, "--storage-driver", "overlay", home=where)
    engine.must("load", "--input", str(archive))
    yield engine
    engine.must("rm", "--all", "--force", "--time", "0")
    engine.must("pod", "rm", "--all", "--force")
