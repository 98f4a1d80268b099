"""Record the lessons: run every console block and write what it printed into its page.

`python tests/lessons/record.py [PAGE …]`, as root. Nobody types output into a page. The facts of
the machine are recorded once for all pages, so they are written only when all are recorded.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import compare
import console
import figures

from minirt.linux import cgroups


def record(page: Path) -> None:
    """Rewrite the outputs of one page, from its last block to its first."""
    lines = page.read_text(encoding="utf-8").splitlines()
    for block in reversed(list(console.blocks(page))):
        if not console.applies(block):
            print(f"{block} left as it is")
            continue
        body: list[str] = []
        for command, printed in zip(block.commands, console.run(block), strict=True):
            body += shown(command.text) + compare.recut(command.output, printed)
        lines[block.first + 1 : block.last] = [f"{block.indent}{line}".rstrip() for line in body]
        print(block)
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")


def shown(command: str) -> list[str]:
    first, *more = command.split("\n")
    return [f"$ {first}", *(f"> {line}" for line in more)]


def facts() -> str:
    """One sentence about the machine and the day."""
    day = datetime.now(tz=UTC).date().isoformat()
    return (
        f"Recorded on {day} on Linux {platform.release()} ({platform.machine()}, "
        f"{os.cpu_count()} processors), Python {platform.python_version()}, "
        f"cgroup {versions()}.\n"
    )


def versions() -> str:
    found = {hierarchy.version for hierarchy in cgroups.hierarchies()}
    return "version 1 beside version 2" if len(found) > 1 else f"version {found.pop()}"


def note_machine() -> None:
    """Write where and when into the file that pages include, and into the README."""
    Path(figures.RECORDED, "machine.md").write_text(facts(), encoding="utf-8")
    readme = console.ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(re.sub(r"^Recorded.*(\n.+)*\n", facts(), text, flags=re.M), encoding="utf-8")


def main(names: list[str]) -> None:
    if not names:
        note_machine()
        figures.record()
    for page in console.RUN:
        if not names or page.stem in names:
            record(page)


if __name__ == "__main__":
    main(sys.argv[1:])
