"""The cgroups of a process, as the kernel tells: by controller, in whichever version it is."""

from __future__ import annotations

from pathlib import Path

from minirt.linux import cgroups


class Groups:
    """Where process `pid` is, in each hierarchy."""

    def __init__(self, pid: int) -> None:
        text = Path(f"/proc/{pid}/cgroup").read_text()
        self.paths = dict(line.split(":", 2)[1:] for line in text.splitlines())
        self.hierarchies = cgroups.hierarchies()

    def directory(self, controller: str) -> Path:
        """`controller` by its name of version 2; "" is version 2 itself, whatever it controls."""
        if controller:
            hierarchy = cgroups.holder(self.hierarchies, controller)
        else:
            hierarchy = next((h for h in self.hierarchies if h.version == 2), None)
        assert hierarchy is not None, f"nothing here controls {controller}"
        names = ",".join(hierarchy.controllers) if hierarchy.version == 1 else ""
        return Path(hierarchy.mountpoint + self.paths[names])

    def version(self, controller: str) -> int:
        hierarchy = cgroups.holder(self.hierarchies, controller)
        return hierarchy.version if hierarchy else 0

    def read(self, controller: str, v1: str, v2: str) -> str:
        """One file, which has another name in each version."""
        name = v1 if self.version(controller) == 1 else v2
        return (self.directory(controller) / name).read_text().strip()

    def directories(self) -> list[Path]:
        """All of them, as far as a hierarchy shows them."""
        names = [",".join(h.controllers) if h.version == 1 else "" for h in self.hierarchies]
        return [
            Path(h.mountpoint + self.paths[name])
            for h, name in zip(self.hierarchies, names, strict=True)
        ]
