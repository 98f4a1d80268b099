"""Which kernel modules to load, and in which order: each after those that it depends on.

A kernel package has no modules.dep: depmod(8) makes it at installation, and this one is not
installed. Each module names what it needs in its .modinfo section.
"""

from __future__ import annotations

import os
import re

from minirt.errors import HostError
from minirt.vm.compression import decompress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SUFFIX = re.compile(r"\.ko(\.xz|\.zst|\.gz)?$")
DEPENDS = re.compile(rb"\0depends=([^\0]*)\0")

Module = tuple[str, bytes]  # name, content to give to init_module(2)


def load_order(directory: str, wanted: Sequence[str]) -> list[Module]:
    """The `wanted` modules of /lib/modules/RELEASE `directory` and their dependencies, in order.

    What is built into the kernel is left out. HostError when one is nowhere.
    """
    files = {_name(path): path for path in _files(directory)}
    built_in = _built_in(directory)
    order: dict[str, bytes] = {}

    def visit(name: str) -> None:
        if name in order or name in built_in:
            return
        if name not in files:
            raise HostError(f"the guest's kernel has no module {name}")
        content = _content(files[name])
        for dependency in _depends(content):
            visit(dependency)
        order[name] = content

    for name in wanted:
        visit(name)
    return list(order.items())


def _name(path: str) -> str:
    """A module's name: the kernel makes no difference between - and _."""
    return SUFFIX.sub("", os.path.basename(path)).replace("-", "_")


def _files(directory: str) -> Iterator[str]:
    for parent, _directories, files in os.walk(f"{directory}/kernel"):
        yield from (f"{parent}/{file}" for file in files if SUFFIX.search(file))


def _built_in(directory: str) -> set[str]:
    with open(f"{directory}/modules.builtin", encoding="utf-8") as lines:
        return {_name(line.strip()) for line in lines}


def _content(path: str) -> bytes:
    with open(path, "rb") as module:
        return decompress(module.read(), what=path)


def _depends(content: bytes) -> list[str]:
    found = DEPENDS.search(content)
    names = found[1].decode().split(",") if found else []
    return [name.replace("-", "_") for name in names if name]
