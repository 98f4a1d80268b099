"""The report of a results file: one HTML page, from which nothing is left to the imagination.

python -m bench report FILE [--out DIR]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench import loading, table
from bench.report import kinds
from bench.report.page import page

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main", "page", "write"]

UNUSABLE = 2


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench report", description="Write the report of a results file."
    )
    parser.add_argument("file", type=Path, help="results (JSON lines)")
    parser.add_argument(
        "--out", type=Path, help="directory for report.html (default: where the results are)"
    )
    options = parser.parse_args(argv)
    return write(options.file, (options.out or options.file.parent) / "report.html")


def write(file: Path, target: Path) -> int:
    """Make `target` of the results in `file`, and show the headline; the exit status."""
    try:
        found = loading.load(file)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(page(found), encoding="utf-8")
    except FileExistsError:
        print(f"bench report: --out {target.parent} is no directory: name one", file=sys.stderr)
        return UNUSABLE
    except (OSError, ValueError) as error:
        print(f"bench report: {error}", file=sys.stderr)
        return UNUSABLE
    for shown in kinds.of(found).tables(found):
        table.show(shown)
    print(f"report: {target}")
    return 0
