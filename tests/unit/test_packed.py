"""The pack of compiled modules gives what the sources say, or stays out of the way."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
WHERE = """
import sys
sys.path.insert(0, sys.argv[1])
import minirt.ids, minirt.engine
from minirt import packed
print(type(minirt.ids.__loader__).__name__, minirt.ids.__file__, minirt.engine.__path__[0])
print(getattr(minirt.ids, "ADDED", None))
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package with a pack of its own."""
    shutil.copytree(
        ROOT / "minirt", tmp_path / "minirt", ignore=shutil.ignore_patterns("__pycache__")
    )
    run(
        tmp_path,
        "import sys; sys.path.insert(0, sys.argv[1])\nfrom minirt.host import pack\npack.main()",
    )
    return tmp_path


def run(directory: Path, code: str) -> str:
    argv = [sys.executable, "-I", "-S", "-B", "-c", code, str(directory)]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def test_a_packed_module_is_the_one_of_its_source(copy: Path) -> None:
    first, added = run(copy, WHERE).splitlines()
    package = copy / "minirt"
    assert first == f"Finder {package / 'ids.py'} {package / 'engine'}"
    assert added == "None"


def test_a_module_that_changed_since_is_read_from_its_source(copy: Path) -> None:
    with (copy / "minirt/ids.py").open("a") as source:
        source.write("ADDED = 1\n")
    first, added = run(copy, WHERE).splitlines()
    assert first.startswith("SourceFileLoader")
    assert added == "1"


@pytest.mark.parametrize("path", ["engine/__init__.py", "spec/__init__.py", "spec/names.py"])
def test_what_imports_a_changed_module_gets_it_from_its_source(copy: Path, path: str) -> None:
    with (copy / "minirt" / path).open("a") as source:
        source.write("ADDED = 1\n")
    name = f"minirt.{path.removesuffix('.py').removesuffix('/__init__').replace('/', '.')}"
    code = "import sys; sys.path.insert(0, sys.argv[1])\nimport minirt.engine.create\n"
    code += "import minirt.spec.names\n"
    shown = run(copy, f"{code}print(sys.modules[{name!r}].ADDED, minirt.spec.names.__name__)")
    assert shown == "1 minirt.spec.names\n"


def test_a_change_that_keeps_the_size_is_seen_too(copy: Path) -> None:
    path = copy / "minirt/ids.py"
    before = path.stat()
    path.write_text(path.read_text().replace('"""', "'''"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert run(copy, WHERE).startswith("SourceFileLoader")


def test_a_copy_with_its_pack_is_the_copy_alone(copy: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(copy / "minirt", other / "minirt")  # keeps the times
    first, _ = run(other, WHERE).splitlines()
    assert first == f"Finder {other / 'minirt/ids.py'} {other / 'minirt/engine'}"
    with (other / "minirt/ids.py").open("a") as source:
        source.write("ADDED = 1\n")
    assert run(other, WHERE).splitlines()[1] == "1"


@pytest.mark.parametrize("damage", [b"", b"no pack at all"])
def test_what_is_no_pack_of_this_python_is_ignored(copy: Path, damage: bytes) -> None:
    (pack,) = (copy / "minirt/__pycache__").glob(f"packed.{sys.implementation.cache_tag}")
    pack.write_bytes(damage)
    assert run(copy, WHERE).startswith("SourceFileLoader")


def test_a_pack_of_another_finder_is_ignored(copy: Path) -> None:
    with (copy / "minirt/packed.py").open("a") as source:
        source.write("# another one\n")
    assert run(copy, WHERE).startswith("SourceFileLoader")


def test_a_step_that_is_packed_still_tells_its_story(copy: Path) -> None:
    code = "import sys, runpy; sys.path.insert(0, sys.argv.pop(1)); sys.argv.append('--help')\n"
    code += "runpy.run_module('minirt.step6', run_name='__main__', alter_sys=True)"
    assert "Step 6: no more rights than it needs." in run(copy, code)
