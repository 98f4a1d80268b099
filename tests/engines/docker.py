"""Dockerd, whose default runtime is minirt, with files and a containerd of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import leaks
from engine import Daemon, Engine, until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Docker(Engine):
    """One daemon and its client; `settings` go into its daemon.json above our runtime."""

    def __init__(
        self, where: Path, launcher: str, *, prefix: Sequence[str] = (), **settings: object
    ) -> None:
        self.where = where
        where.mkdir()
        self.cgroup = f"/minirt-engines/{where.name}"
        self.socket = where / "docker.sock"
        super().__init__("docker", "--host", f"unix://{self.socket}", home=where)
        configuration = {
            "runtimes": {"minirt": {"path": launcher}},
            "default-runtime": "minirt",
            "data-root": str(where / "data"),
            "exec-root": str(where / "exec"),
            "pidfile": str(where / "docker.pid"),
            "hosts": [f"unix://{self.socket}"],
            "storage-driver": "overlay2",
            "cgroup-parent": self.cgroup,
            **settings,
        }
        (where / "daemon.json").write_text(json.dumps(configuration))
        argv = [*prefix, "dockerd", "--config-file", str(where / "daemon.json")]
        self.daemon = Daemon(argv, where / "log", home=where)

    def ready(self) -> None:
        """Wait until it answers."""
        self.daemon.wait(lambda: self.socket.exists() and self.call("version").returncode == 0)

    def end(self) -> None:
        """Remove all containers; end the daemon, which ends its containerd."""
        names = self.must("ps", "--all", "--quiet").split()
        if names:
            self.must("rm", "--force", *names)
        # Containerd ends a shim after it has answered; ended itself before that, it leaves it.
        address = f"{self.where}/exec/containerd/containerd.sock"
        until(lambda: not self.processes("cmdline", address), self.daemon.log.read_text)
        self.daemon.stop()

    def processes(self, file: str, part: str) -> list[int]:
        """Those of ours in whose file below /proc/PID there is `part`."""
        return [pid for pid in leaks.descendants() if part in _text(f"/proc/{pid}/{file}")]

    def field(self, name: str, what: str) -> str:
        """One field of what is known of a container."""
        return self.must("inspect", "--format", f"{{{{{what}}}}}", name)


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:  # it ends at this moment
        return ""
