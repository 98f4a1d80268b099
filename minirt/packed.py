"""Compiled modules of a start, all in one file: quicker to read than ninety files.

`make` writes the file beside Python's own compiled files. A module whose source has changed since
is loaded from its source, as if it were not in there.

What a packed module begins by importing is loaded from here before it, without the import
system's search and locks: these take longer than the loading.
"""

from __future__ import annotations

import os
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import MAGIC_NUMBER
from marshal import loads
from mmap import MAP_SHARED, PROT_READ, mmap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import CodeType, ModuleType
    from typing import Any

    # Path of the source below this package; whether it is a package; mtime (ns) and size of the
    # source; the packed modules that it imports first; where its code begins, from the pack's end.
    Entry = tuple[str, bool, int, int, tuple[str, ...], int]

HERE = os.path.dirname(__file__)
PACK = f"{HERE}/__pycache__/packed.{sys.implementation.cache_tag}"
Module = type(sys)


class Finder:
    """A finder and loader of the packed modules, for sys.meta_path (importlib.abc)."""

    def __init__(self, entries: Mapping[str, Entry], codes: memoryview) -> None:
        self._entries = entries
        self._codes = codes

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where `name` comes from; None when it is not packed, or not as its source now is."""
        entry = self._entries.get(name)
        if entry is None:
            return None
        path, is_package, *stamp, _needs, _start = entry
        path = f"{HERE}/{path}"
        if stamp != stamp_of(path):
            return None
        loader: Any = self  # an importlib.abc.Loader by what it does
        spec = ModuleSpec(name, loader, origin=path, is_package=is_package)
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [os.path.dirname(path)]
        return spec

    def get_code(self, name: str) -> CodeType:
        """The module's code, what it needs being loaded; runpy asks for it, too."""
        *_, needs, start = self._entries[name]
        for need in needs:
            if need not in sys.modules:
                self.load(need)
        code: CodeType = loads(self._codes[start:])  # noqa: S302
        return code

    def create_module(self, _spec: ModuleSpec) -> None:
        """None: the ordinary kind of module will do."""

    def exec_module(self, module: ModuleType) -> None:
        exec(self.get_code(module.__name__), module.__dict__)  # noqa: S102  (what a loader does)

    def load(self, name: str) -> None:
        """Import `name` as the import system would; not if that has to do it from the source."""
        spec = self.find_spec(name)
        if spec is None:
            return
        sys.modules[name] = module = Module(name)
        own = module.__dict__
        own["__spec__"], own["__loader__"], own["__file__"] = spec, self, spec.origin
        own["__package__"] = spec.parent
        if spec.submodule_search_locations:
            own["__path__"] = spec.submodule_search_locations
        try:
            self.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        parent, _, child = name.rpartition(".")
        setattr(sys.modules[parent], child, module)


def stamp_of(path: str) -> list[int]:
    """What changes with a source: its time of modification (ns) and size (bytes)."""
    try:
        status = os.stat(path)
    except OSError:
        return []
    return [status.st_mtime_ns, status.st_size]


def header() -> bytes:
    """What a pack begins with that this Python and this file can read."""
    return MAGIC_NUMBER + str(stamp_of(__file__)).encode()


def install() -> None:
    """Find packed modules from now on, where there is a pack that fits."""
    try:
        fd = os.open(PACK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        data = memoryview(mmap(fd, 0, MAP_SHARED, PROT_READ))
    except (OSError, ValueError):  # an empty file cannot be mapped
        return
    finally:
        os.close(fd)
    begin = header()
    if data[: len(begin)] == begin:
        # Whoever can write the pack can write the sources, too.
        rest = data[len(begin) :]
        sys.meta_path.insert(0, Finder(loads(rest), rest))  # noqa: S302
