"""Write the file of minirt/packed.py: `python -m minirt.host.pack`.

What is written down for people and type checkers is left out: docstrings, annotations and what
is imported for them alone. With -X no_debug_ranges Python leaves out the columns of each line.
"""

from __future__ import annotations

import ast
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
    "stepping/beside", "stepping/by_hand", "oci/trac", "__init__", "__main__", "packed",
)  # fmt: skip


class Bare(ast.NodeTransformer):
    """Takes away what a running program does not look at."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        return ast.copy_location(ast.Assign([node.target], node.value), node)

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        for_types = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        return node.orelse or [ast.copy_location(ast.Pass(), node)] if for_types else node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        return ast.copy_location(ast.Pass(), node) if node.module == "__future__" else node


def sources() -> Iterator[str]:
    """The modules that a start may import, as paths below the package."""
    for parent, directories, files in os.walk(HERE):
        directories[:] = sorted(set(directories) - {"__pycache__"})
        for name in sorted(files):
            path = os.path.relpath(f"{parent}/{name}", HERE)
            if name.endswith(".py") and not path.startswith(LEFT_OUT):
                yield path


def name_of(path: str) -> str:
    """The module whose source lies at `path`, below the package."""
    name = path.removesuffix("/__init__.py").removesuffix(".py").replace("/", ".")
    return f"minirt.{name}"


def parsed(path: str) -> ast.Module:
    with open(f"{HERE}/{path}", "rb") as file:
        return ast.parse(file.read(), file.name)


def compiled(path: str, tree: ast.Module) -> CodeType:
    # A step's docstring is its story; others, and assertions, only take room.
    optimize = 0 if path.startswith("step") and "/" not in path else 2
    bare = ast.fix_missing_locations(Bare().visit(tree))
    code: CodeType = compile(bare, f"{HERE}/{path}", "exec", dont_inherit=True, optimize=optimize)
    return code


def imported(name: str, tree: ast.Module) -> Iterator[str]:
    """What is imported before or by the body of module `name`, and perhaps names that are none."""
    yield name.rpartition(".")[0]
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def with_parents(name: str) -> Iterator[str]:
    """A module after the packages that it is in."""
    at = name.find(".")
    while at >= 0:
        yield name[:at]
        at = name.find(".", at + 1)
    yield name


def pack() -> bytes:
    """The content of the file: where each module's entry is, then the entries."""
    paths = {name_of(path): path for path in sources()}
    starts: dict[str, int] = {}
    entries = b""
    for name, path in paths.items():
        tree = parsed(path)
        all_of_them = (part for found in imported(name, tree) for part in with_parents(found))
        needs = tuple(dict.fromkeys(need for need in all_of_them if need in paths))
        mtime, size = stamp_of(f"{HERE}/{path}")
        entry: Entry = path, mtime, size, needs, compiled(path, tree)
        entries = marshal.dumps(entry) + entries
        starts[name] = -len(entries)
    return header() + marshal.dumps(starts) + entries


def main() -> None:
    os.makedirs(os.path.dirname(PACK), exist_ok=True)
    with open(f"{PACK}.new", "wb") as file:
        file.write(pack())
    os.replace(f"{PACK}.new", PACK)


if __name__ == "__main__":
    main()
