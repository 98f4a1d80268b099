"""How long things may be, and what each must say of itself (CONTRIBUTING.md)."""

from __future__ import annotations

import ast
import re
import statistics
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent.parent / "minirt"
FILES = sorted(PACKAGE.rglob("*.py"))
MECHANISMS = sorted((PACKAGE / "mechanisms").glob("*.py"))
LONGEST_FILE, LONGEST_MECHANISM, LONGEST_FUNCTION, MEDIAN_FUNCTION = 250, 120, 60, 8
# Places where a type checker cannot know better than we do; a new one wants a good reason.
TYPE_IGNORES = 10
Function = (ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def functions() -> dict[str, int]:
    """The lines of every function, from `def` to its end, by file, line and name."""
    return {
        f"{path.relative_to(PACKAGE)}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for path in FILES
        for node in ast.walk(ast.parse(text(path)))
        if isinstance(node, Function)
    }


def lines_with(pattern: str) -> list[str]:
    """The lines of the package that match, after their file and number."""
    return [
        f"{path.relative_to(PACKAGE)}:{number} {line.strip()}"
        for path in FILES
        for number, line in enumerate(text(path).splitlines(), 1)
        if re.search(pattern, line)
    ]


def longer(files: list[Path], most: int) -> dict[str, int]:
    lengths = {str(path.relative_to(PACKAGE)): len(text(path).splitlines()) for path in files}
    return {name: length for name, length in lengths.items() if length > most}


def test_every_file_can_be_read_in_one_sitting() -> None:
    assert len(FILES) > len(MECHANISMS) > 20
    assert longer(FILES, LONGEST_FILE) == {}


def test_every_mechanism_fits_a_lesson() -> None:
    assert longer(MECHANISMS, LONGEST_MECHANISM) == {}


def test_every_function_is_short() -> None:
    assert {name: n for name, n in functions().items() if n > LONGEST_FUNCTION} == {}
    assert statistics.median(functions().values()) <= MEDIAN_FUNCTION


def test_nothing_is_left_for_later() -> None:
    assert lines_with(r"\b(TODO|FIXME|XXX)\b") == []


def test_every_ignored_type_error_says_which() -> None:
    ignored = lines_with(r"#\s*type:\s*ignore")
    assert len(ignored) <= TYPE_IGNORES, ignored
    assert [line for line in ignored if not re.search(r"# type: ignore\[[a-z, -]+\]", line)] == []


@pytest.mark.parametrize("package", ["linux", "engine"])
def test_what_is_public_says_what_it_is(package: str) -> None:
    silent = [
        f"{path.name}:{node.lineno} {node.name}"
        for path in sorted((PACKAGE / package).glob("*.py"))
        for node in ast.parse(text(path)).body
        if isinstance(node, (*Function, ast.ClassDef)) and not node.name.startswith("_")
        if not ast.get_docstring(node)
    ]
    assert silent == []
