"""The file tree that all subjects run: the embedded image, its layers merged, and /work.

It lies in the cache under a name of its content, and is never written to: each subject puts a
writable layer over it, mounts it read-only, or makes a disk of it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from minirt.errors import HostError
from minirt.host import cache
from minirt.images import build
from minirt.vm.layers import merge

SOURCE = Path(__file__).with_name("work.c")
PROGRAM = "/work"
FLAGS = ("-O2", "-static", "-Wall", "-Wextra", "-Werror")


def ensure() -> str:
    """The tree's path; built when it is missing. HostError names what it takes to build it."""
    image = build.ensure()
    final = f"{cache.directory()}/bench/{_key(image.digest)}"
    if os.path.isdir(final):
        return final
    with cache.Writing("bench-tree") as scratch:
        if not os.path.isdir(final):
            merge(image.layers, f"{scratch}/tree")
            compile_program(f"{scratch}/tree{PROGRAM}")
            cache.make_directories(os.path.dirname(final))
            os.rename(f"{scratch}/tree", final)
    return final


def compile_program(target: str) -> None:
    """Build work.c; HostError with what the compiler said."""
    command = [_compiler(), *FLAGS, str(SOURCE), "-o", target]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise HostError(f"cannot build {SOURCE.name}: {said}", hint="apt-get install libc6-dev")


def _compiler() -> str:
    found = shutil.which("cc") or shutil.which("gcc")
    if found is None:
        raise HostError("there is no C compiler", hint="apt-get install gcc libc6-dev")
    return found


def _key(image: str) -> str:
    compiler = subprocess.run([_compiler(), "--version"], capture_output=True, check=False).stdout
    parts = (SOURCE.read_bytes(), " ".join(FLAGS).encode(), compiler, image.encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]
