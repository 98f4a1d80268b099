"""Buildah, told of the runtime by its environment, with storage of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import Engine

if TYPE_CHECKING:
    from pathlib import Path

# No process may raise its limits without CAP_SYS_RESOURCE, and buildah asks for more by default.
SETTINGS = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
"""


def buildah(where: Path, archive: Path, launcher: str) -> Engine:
    """Its client, with our image in its storage below `where`."""
    where.mkdir()
    (where / "containers.conf").write_text(SETTINGS)
    roots = ("--root", str(where / "storage"), "--runroot", str(where / "run"))
    engine = Engine("buildah", *roots, "--storage-driver", "overlay", home=where)
    engine.environment |= {
        "BUILDAH_RUNTIME": launcher,
        "BUILDAH_ISOLATION": "oci",
        "CONTAINERS_CONF": str(where / "containers.conf"),
    }
    engine.must("pull", "--quiet", f"docker-archive:{archive}")
    return engine
