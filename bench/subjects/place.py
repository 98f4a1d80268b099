"""Where subjects find what they run, and put what they need meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """`tree` is the file tree (tree.py); `scratch` an empty directory, removed after the run."""

    tree: str = ""
    scratch: str = ""

    def directory(self, name: str) -> Path:
        """A directory for subject `name` alone."""
        path = Path(self.scratch, name)
        path.mkdir(parents=True, exist_ok=True)
        return path
