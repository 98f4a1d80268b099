"""What must be on the disk before a first start, part by part.

files    the file tree (of a container)     disk, kernel, initramfs   of a VM, which has its own
minirt   the package, where minirt starts it, and packages, what pip installs with it

Not counted is what a distribution installs, for either: Python, runc, QEMU and its firmware, and
the libraries of all these.
"""

from __future__ import annotations

import os
import re
from importlib import metadata
from typing import TYPE_CHECKING

import minirt
from bench import tree
from bench.subjects.microvm import Virtual
from bench.subjects.steps import Step
from bench.subjects.warm import Warm
from minirt.vm import measure

if TYPE_CHECKING:
    from bench.subject import Subject

NOT_COUNTED = "what the distribution installs: Python, runtimes, QEMU, libraries"
NAME = re.compile(r"[\w.-]+")


def parts(subject: Subject) -> dict[str, int]:
    """Bytes by the name of the part."""
    found = {name: measure.disk_bytes([path]) for name, path in _own(subject).items()}
    if isinstance(subject, (Step, Warm, Virtual)):
        found["minirt"] = measure.disk_bytes([os.path.dirname(minirt.__file__)])
        found["packages"] = measure.disk_bytes(sorted(files("minirt") - files_of("minirt")))
    return found


def _own(subject: Subject) -> dict[str, str]:
    if not isinstance(subject, Virtual):
        return {"files": tree.ensure()}
    machine = subject.machine
    assert machine is not None  # noqa: S101  (it is set up)
    return {"disk": machine.disk, "kernel": machine.kernel, "initramfs": machine.initramfs}


def files(package: str) -> set[str]:
    """What pip has installed for a package and, extras aside, all that it requires."""
    found, wanted, seen = set[str](), [package], set[str]()
    while wanted:
        name = wanted.pop()
        if name in seen:
            continue
        seen.add(name)
        found |= files_of(name)
        wanted += required(name)
    return found


def files_of(package: str) -> set[str]:
    """Of this package alone; none when it is not installed, which its marker may mean."""
    try:
        listed = metadata.files(package) or []
    except metadata.PackageNotFoundError:
        return set()
    paths = (str(file.locate()) for file in listed)
    return {path for path in paths if os.path.exists(path)}


def required(package: str) -> list[str]:
    """The names of what a package requires without any extra."""
    try:
        lines = metadata.requires(package) or []
    except metadata.PackageNotFoundError:
        return []
    plain = (line for line in lines if "extra ==" not in line)
    return [found[0] for line in plain if (found := NAME.match(line))]
