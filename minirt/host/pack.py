"""Write the file of minirt/packed.py: `python -m minirt.host.pack`."""

from __future__ import annotations

import marshal
import os

from minirt.packed import HERE, PACK, header, stamp_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

    from minirt.packed import Entry

# Programs that are no part of a start, and what a start needs once, to make an image or a filter.
LEFT_OUT = (
    "check/", "cli/", "telemetry/", "tour/", "vm/", "host/apt", "host/debs", "host/elevate",
    "host/pack", "host/progress", "host/uninstall", "images/__main__", "images/build",
    "images/content", "images/layout", "images/unpack", "seccomp/compiler", "linux/libseccomp",
    "stepping/beside", "stepping/by_hand", "__init__", "__main__", "packed",
)  # fmt: skip


def sources() -> Iterator[str]:
    """The modules that a start may import, as paths below the package."""
    for parent, directories, files in os.walk(HERE):
        directories[:] = sorted(set(directories) - {"__pycache__"})
        for name in sorted(files):
            path = os.path.relpath(f"{parent}/{name}", HERE)
            if name.endswith(".py") and not path.startswith(LEFT_OUT):
                yield path


def compiled(path: str) -> CodeType:
    """The code of the module at `path`, below the package."""
    # A step's docstring is its story; others, and assertions, only take room.
    optimize = 0 if path.startswith("step") and "/" not in path else 2
    with open(f"{HERE}/{path}", "rb") as file:
        return compile(file.read(), file.name, "exec", dont_inherit=True, optimize=optimize)


def pack() -> bytes:
    """The content of the file: an index, then the modules' code."""
    entries: dict[str, Entry] = {}
    codes = b""
    for path in sources():
        codes = marshal.dumps(compiled(path)) + codes
        name = path.removesuffix("/__init__.py").removesuffix(".py").replace("/", ".")
        mtime, size = stamp_of(f"{HERE}/{path}")
        is_package = path.endswith("/__init__.py")
        entries[f"minirt.{name}"] = path, is_package, mtime, size, -len(codes)
    return header() + marshal.dumps(entries) + codes


def main() -> None:
    os.makedirs(os.path.dirname(PACK), exist_ok=True)
    with open(f"{PACK}.new", "wb") as file:
        file.write(pack())
    os.replace(f"{PACK}.new", PACK)


if __name__ == "__main__":
    main()
