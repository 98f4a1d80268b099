"""Charts of a results file, as SVG that follows the colours of the page it stands in.

    python -m bench charts FILE --out DIR

writes NAME.svg, one line each, to be embedded in a page, and NAME.html: the same as a figure with
its caption and its numbers as a table.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench import loading
from bench.cells import OCI
from bench.charts import amounts, calls, phases, price, ratios, scaling, start
from bench.charts.chart import Chart, Missing
from bench.charts.html import figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.cells import Cells

__all__ = ["Chart", "Missing", "charts", "main"]

UNUSABLE = 2


def charts(cells: Cells) -> list[Chart | Missing]:
    """All charts, in the order of a reader's questions."""
    if cells.suite() == OCI:
        return [*start.charts(cells, "oci-run"), *calls.charts(cells), *amounts.waiting(cells)]
    return [
        *start.charts(cells),
        *phases.charts(cells),
        *price.mechanisms(cells),
        *scaling.memory(cells),
        *amounts.density(cells),
        *scaling.starts(cells),
        *ratios.charts(cells),
        *amounts.sizes(cells),
        *price.tracing(cells),
    ]


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench charts", description="Write the charts of a results file as SVG."
    )
    parser.add_argument("file", type=Path, help="results (JSON lines)")
    parser.add_argument("--out", type=Path, required=True, help="directory for the charts")
    options = parser.parse_args(argv)
    try:
        found = charts(loading.load(options.file))
        options.out.mkdir(parents=True, exist_ok=True)
        for chart in found:
            _write(options.out, chart)
    except FileExistsError:
        print(f"bench charts: --out {options.out} is no directory: name one", file=sys.stderr)
        return UNUSABLE
    except (OSError, ValueError) as error:
        print(f"bench charts: {error}", file=sys.stderr)
        return UNUSABLE
    return 0


def _write(directory: Path, chart: Chart | Missing) -> None:
    if isinstance(chart, Missing):
        print(f"not drawn: {chart.topic}: {chart.why}")
        return
    (directory / f"{chart.name}.svg").write_text(chart.svg + "\n", encoding="utf-8")
    (directory / f"{chart.name}.html").write_text(figure(chart) + "\n", encoding="utf-8")
    print(f"{directory / chart.name}.svg: {chart.title}")
