"""An ordinary user of this machine: no account needed, only an id, a home and a Python to run.

The tests' own interpreter and checkout may lie where only root can look, so the user gets a copy
of the code and a virtual environment made of the system's Python.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

CODE = Path(__file__).parent.parent.parent / "minirt"
SYSTEM_PYTHON = "/usr/bin/python3"


class Ordinary:
    """The user `uid`, at home below `directory`."""

    def __init__(self, directory: Path, uid: int) -> None:
        self.uid = uid
        self.home = directory / f"home-{uid}"
        self.python = directory / "venv" / "bin" / "python"
        for path in (directory, *directory.parents):
            if path.stat().st_uid == os.geteuid() and not path.stat().st_mode & 0o001:
                path.chmod(path.stat().st_mode | 0o011)
        self.home.mkdir()
        os.chown(self.home, uid, uid)
        if not self.python.exists():
            _make_venv(directory / "venv")

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run Python with `arguments` as this user, with a clean environment and `more`."""
        return subprocess.run([str(self.python), "-B", *arguments], check=False, **self.how(**more))

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        """The same, without waiting."""
        how = self.how(**more)
        how.pop("capture_output")
        return subprocess.Popen(
            [str(self.python), "-B", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how,
        )  # fmt: skip

    def how(self, **more: str) -> dict[str, object]:
        """The arguments of subprocess.run that make a process this user's."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), **more}
        return {
            "user": self.uid, "group": self.uid, "extra_groups": [], "env": environment,
            "cwd": str(self.home), "text": True, "capture_output": True,
        }  # fmt: skip


def _make_venv(path: Path) -> None:
    """A virtual environment with this code and what it depends on, without the network."""
    subprocess.run([SYSTEM_PYTHON, "-m", "venv", "--without-pip", str(path)], check=True)
    packages = next((path / "lib").glob("python*/site-packages"))
    shutil.copytree(CODE, packages / "minirt", ignore=shutil.ignore_patterns("__pycache__"))
    for name in _dependencies("minirt") - {"minirt"}:
        for file in metadata.files(name) or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target = packages / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), target)


def _dependencies(name: str, found: frozenset[str] = frozenset()) -> frozenset[str]:
    """The distributions that `name` needs, itself included; extras are left out."""
    found |= {name}
    for requirement in metadata.requires(name) or ():
        needed = re.split(r"[^\w.-]", requirement)[0]
        if "extra ==" not in requirement and needed not in found and _is_installed(needed):
            found |= _dependencies(needed, found)
    return found


def _is_installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False  # a requirement of another Python or platform
    return True
