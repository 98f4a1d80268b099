"""Buildah, told of the runtime by its environment, with storage of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import SETTINGS, Engine

if TYPE_CHECKING:
    from pathlib import Path


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
