"""What the layers below the programs import when they are loaded (docs/adr/0002-import-budget.md).

What Python imports before the clone costs time at every start, and memory that the clone copies.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "minirt"
# Layers 0 to 3: these packages whole, and these modules.
PACKAGES = (
    "linux", "networks", "filetree", "mechanisms", "seccomp", "engine", "builders", "limits",
    "spec",
)  # fmt: skip
MODULES = (
    "errors", "hints", "codec", "spans", "reader", "context", "mechanism", "hook", "ids",
    "resources", "writable_layer", "state_root", "state", "host.cache", "images.store",
    "mount_options", "plan", "gc", "apart", "wire",
)  # fmt: skip

ALLOWED = {
    "_signal", "_socket", "_stat", "ctypes", "errno", "fcntl", "mmap", "os", "select", "stat",
    "struct", "sys", "termios", "time",
}  # fmt: skip
PULLED_IN = {
    "_collections_abc", "genericpath", "os.path", "posixpath",  # by os
    "_ctypes", "ctypes._endian", "types",  # by ctypes
    "_struct",  # by struct
    "_sha256", "_sha2",  # compiled, and under one name or the other: hashlib without the rest
    "__future__",  # by every module: a table of names
}  # fmt: skip

LOAD = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
before = set(sys.modules)
for name in sys.argv[2:]:
    importlib.import_module(name)
loaded = set(sys.modules) - before
import json
print(json.dumps(sorted(loaded)))
"""


def lower_layers() -> list[str]:
    """Every module of layers 0 to 3, by its full name."""
    found = [f"minirt.{name}" for name in MODULES]
    for package in PACKAGES:
        for path in sorted((PACKAGE / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found.append(name.removesuffix(".__init__"))
    return found


def loaded_by(*modules: str) -> set[str]:
    """What an empty interpreter loads of others when it imports `modules`."""
    command = [sys.executable, "-I", "-S", "-B", "-c", LOAD, str(ROOT), *modules]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {name for name in json.loads(done.stdout) if name.split(".")[0] != "minirt"}


def test_the_lower_layers_load_no_more_than_the_import_budget() -> None:
    assert not loaded_by(*lower_layers()) - ALLOWED - PULLED_IN


def test_the_launch_uses_the_core_of_ctypes_alone() -> None:
    assert "ctypes" not in loaded_by("minirt.engine", "minirt.gc")
