"""Podman, told of the runtime by a file of settings, with storage of its own."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator

# No process may raise its limits without CAP_SYS_RESOURCE, and podman asks for more by default.
SETTINGS = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "minirt"
"""


@contextmanager
def podman_in(where: Path, archive: Path) -> Iterator[Engine]:
    """Its client, with our image in its storage below `where`; no container is left at the end."""
    where.mkdir()
    Path("/etc/containers/containers.conf.d/zz-tests.conf").write_text(SETTINGS)
    roots = ("--root", str(where / "storage"), "--runroot", str(where / "run"))
    engine = Engine("podman", *roots, "--storage-driver", "overlay", home=where)
    engine.must("load", "--input", str(archive))
    yield engine
    engine.must("rm", "--all", "--force", "--time", "0")
    engine.must("pod", "rm", "--all", "--force")
