"""The recorded figures of the lessons: the waterfall of a step 6 container, as inline SVG."""

from __future__ import annotations

import tempfile
from pathlib import Path

import console

from minirt.telemetry import html, otlp_file

RECORDED = console.ROOT / "lessons" / "recorded"
# The second container of a network: the first one's bridge is there already.
COMMAND = "python -I -m minirt.step6 --quiet --trace {file} -- hello"


def record() -> None:
    """Run the container and draw its trace; the spans' names go beside it, for the tests."""
    with tempfile.TemporaryDirectory() as scratch:
        file = f"{scratch}/trace.jsonl"
        console.sandboxed(f"{COMMAND.format(file=file)}\n" * 2)
        with open(file, encoding="utf-8") as lines:
            trace = otlp_file.read(lines, file)[-1]
    picture = html.picture([trace], titles=["a step 6 container"])
    # One line: an empty one would end the block of HTML, in Markdown.
    line = " ".join(picture.split("\n"))
    Path(RECORDED, "waterfall.svg").write_text(line.strip() + "\n", encoding="utf-8")


def spans() -> list[str]:
    """The names of the spans in the recorded waterfall, from top to bottom."""
    import re

    drawn = Path(RECORDED, "waterfall.svg").read_text(encoding="utf-8")
    return re.findall(r'<text class="name"[^>]*>([^<]*)</text></?', drawn)
