"""The recorded figures of the lessons: the waterfall of a step 6 container, as inline SVG."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import console

from minirt.telemetry import html, otlp_file

RECORDED = console.ROOT / "lessons" / "recorded"
# Each is run twice: what the first one on a machine makes, such as the bridge, is there then.
FIGURES = {
    "waterfall": "",
    "waterfall-none": "--network none",
}


def record() -> None:
    """Run the containers and draw their traces."""
    for name, options in FIGURES.items():
        line = " ".join(_picture(options).split("\n"))  # an empty line would end the HTML block
        Path(RECORDED, f"{name}.svg").write_text(line.strip() + "\n", encoding="utf-8")


def _picture(options: str) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        file = f"{scratch}/trace.jsonl"
        run = f"python -I -m minirt.step6 --quiet --trace {file} {options} -- hello\n"
        console.sandboxed(run * 2)
        with open(file, encoding="utf-8") as lines:
            trace = otlp_file.read(lines, file)[-1]
    failed = [span.name for span in trace.spans if span.error]
    if failed:
        raise AssertionError(f"the container did not run: {', '.join(failed)}")
    return html.picture([trace], titles=["a step 6 container"])


def spans(name: str) -> list[str]:
    """The names of the spans in a recorded waterfall, from top to bottom."""
    drawn = Path(RECORDED, f"{name}.svg").read_text(encoding="utf-8")
    rows = re.findall(r'<rect class="row".*?<text class="name"[^>]*>([^<]*)<', drawn)
    return [row.split(" ✗")[0] for row in rows]
