"""Call `minirt-oci` as engines do: with an almost empty environment, by its command line alone."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from minirt.images import build
from minirt.state import fnv1a
from minirt.vm.layers import merge

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

PROGRAM: list[str] = []  # the launcher, which conftest.py installs
NAMESPACES = ("pid", "network", "ipc", "uts", "mount")
SAFE = ["nosuid", "noexec", "nodev"]


class Runtime:
    """A state root and a bundle below `directory`; `config` is written before each call."""

    def __init__(self, directory: Path, *args: str) -> None:
        self.bundle = directory / "bundle"
        self.bundle.mkdir()
        self.root = directory / "root"
        self.program = PROGRAM
        self.config = configuration(args or ("true",))
        merge(build.ensure().layers, str(self.bundle / "rootfs"))

    def call(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """One call; `options` are subprocess.run's."""
        (self.bundle / "config.json").write_text(json.dumps(self.config))
        argv = [*self.program, "--root", str(self.root), *words]
        usual = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": 60}
        usual |= {"env": {"PWD": "/"}, "cwd": self.bundle}
        return subprocess.run(argv, check=False, **{**usual, **options})

    def must(self, *words: str, **options: Any) -> str:
        """One call that succeeds; what it printed."""
        done = self.call(*words, **options)
        assert done.returncode == 0, done.stderr
        return done.stdout or ""

    def create(self, name: str, output: Path) -> int:
        """Create container `name`, its output in a file as under an engine; init's pid."""
        pid = self.bundle / f"{name}.pid"
        with output.open("w") as file:
            words = ("create", "--bundle", str(self.bundle), "--pid-file", str(pid), name)
            self.must(*words, capture_output=False, stdout=file, stderr=file)
        return int(pid.read_text())

    def start(self, name: str, output: Path) -> int:
        """Create and start it; init's pid."""
        pid = self.create(name, output)
        self.must("start", name)
        return pid

    def output(self, *args: str) -> str:
        """What a container prints that runs `args`."""
        self.config["process"]["args"] = list(args)
        return self.must("run", "c1")

    def refusal(self, *words: str, **options: Any) -> str:
        """What the runtime says about a call that it refuses; nothing is left."""
        done = self.call(*(words or ("run", "c1")), **options)
        assert done.returncode in (1, 255), done
        assert done.stdout in ("", None)
        return done.stderr

    def state(self, name: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.must("state", name))
        return document

    def cgroup(self, name: str) -> str:
        """The path of its cgroup where its configuration names none."""
        return f"/minirt-{fnv1a(str(self.root)):08x}/{name}"


def configuration(args: tuple[str, ...]) -> dict[str, Any]:
    """A small config.json, as an engine might write it."""
    return {
        "ociVersion": "1.0.2-dev",
        "hostname": "oci",
        "root": {"path": "rootfs"},
        "process": {"args": list(args), "env": ["PATH=/bin"], "cwd": "/"},
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc", "options": SAFE},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid"]},
        ],
        "linux": {"namespaces": [{"type": kind} for kind in NAMESPACES]},
    }
