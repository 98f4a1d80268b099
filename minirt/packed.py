"""Compiled modules of a start, all in one file: quicker to read than ninety files.

`make` writes the file beside Python's own compiled files. A module whose source has changed since
is loaded from its source, as if it were not in there.

What a packed module begins by importing is loaded from here before it, without the import
system's search and locks: these take longer than the loading.
"""

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

    # Path of the source below this package; its mtime (ns) and size; the packed modules that it
    # imports first; its code.
    Entry = tuple[str, int, int, tuple[str, ...], CodeType]

HERE = os.path.dirname(__file__)
PACK = f"{HERE}/__pycache__/packed.{sys.implementation.cache_tag}"
INIT = "/__init__.py"
Module = type(sys)


class Finder:
    """A finder and loader of the packed modules, for sys.meta_path (importlib.abc)."""

    def __init__(self, starts: "Mapping[str, int]", pack: memoryview) -> None:
        self._starts = starts  # of each module's entry, counted from the end of the pack
        self._pack = pack

    def find_spec(
        self, name: str, _path: "Sequence[str] | None" = None, _target: "ModuleType | None" = None
    ) -> ModuleSpec | None:
        """Where `name` comes from; None when it is not packed, or not as its source now is."""
        start = self._starts.get(name)
        if start is None:
            return None
        entry: Entry = loads(self._pack[start:])  # noqa: S302
        path = f"{HERE}/{entry[0]}"
        if list(entry[1:3]) != stamp_of(path):
            return None
        loader: Any = self  # an importlib.abc.Loader by what it does
        spec = ModuleSpec(name, loader, origin=path, loader_state=entry)
        spec.has_location = True
        if path.endswith(INIT):
            spec.submodule_search_locations = [path.removesuffix(INIT)]
        return spec

    def create_module(self, _spec: ModuleSpec) -> None:
        """None: the ordinary kind of module will do."""

    def exec_module(self, module: "ModuleType") -> None:
        spec: Any = module.__spec__
        entry: Entry = spec.loader_state
        spec.loader_state = None  # the code is not kept
        for need in entry[3]:
            if need not in sys.modules:
                self.load(need)
        exec(entry[4], module.__dict__)  # noqa: S102  (what a loader does)

    def get_code(self, name: str) -> "CodeType":
        """The module's code: runpy asks for it."""
        entry: Entry = loads(self._pack[self._starts[name] :])  # noqa: S302
        return entry[4]

    def load(self, name: str) -> None:
        """Import `name` as the import system would; not if that has to do it from the source.

        Nor what is in a package of which that is so: the package comes first.
        """
        parent, _, child = name.rpartition(".")
        spec = self.find_spec(name)
        if spec is None or parent not in sys.modules:
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
