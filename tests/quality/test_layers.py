"""The contract of layers in pyproject.toml catches what it is for."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
LINT = str(Path(sys.executable).with_name("lint-imports"))
PLANTED = (
    ("linux/uname.py", "from minirt import spec", "A layer imports only lower ones"),
    ("spec/process.py", "from minirt import engine", "A layer imports only lower ones"),
    ("engine/more.py", "from minirt.stepping import step", "A layer imports only lower ones"),
    ("context.py", "from minirt.telemetry import replay", "A layer imports only lower ones"),
    ("mechanisms/uts.py", "from minirt.mechanisms import pid", "Mechanisms never import"),
    ("mechanisms/uts.py", "import ctypes", "Foreign packages have one place each"),
    ("engine/more.py", "def f():\n    import pyroute2", "Foreign packages have one place each"),
    ("spans.py", "import opentelemetry.trace", "Foreign packages have one place each"),
    ("nowhere.py", "", "A layer imports only lower ones"),
)


def lint(directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINT, "--no-cache"], cwd=directory, env={"PYTHONPATH": str(directory)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(
        ROOT / "minirt", tmp_path / "minirt", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_layers_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("file", "line", "contract"), PLANTED)
def test_an_import_upwards_is_caught(copy: Path, file: str, line: str, contract: str) -> None:
    with (copy / "minirt" / file).open("a") as module:
        module.write(f"\n{line}\n")
    done = lint(copy)
    assert done.returncode != 0
    broken = [row for row in done.stdout.splitlines() if " BROKEN" in row]
    assert any(row.startswith(contract) for row in broken) or "nowhere" in done.stdout
