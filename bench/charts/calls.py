"""What each call of a runtime takes beside runc's: dots, and dotted lines where ours should be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import findings, goals, units
from bench.cells import AGAIN, PROCESS
from bench.charts import ratios
from bench.charts.chart import Chart, Missing, caption
from bench.charts.ratios import Panel
from bench.table import Table
from bench.words import setting_text

if TYPE_CHECKING:
    from bench.cells import Cells

NAME, TOPIC = "oci-calls", "Calls beside runc's"
REFERENCE = "runc"
# By rows of the chart: back to back, then after gaps.
WORDS = {"oci-run": "run", "oci-life": "create + start + delete", "oci-exec": "exec"}


def charts(cells: Cells) -> list[Chart | Missing]:
    panels = _panels(cells)
    if not panels:
        return [Missing(NAME, TOPIC, f"no call was measured of {REFERENCE} and of another")]
    title = f"Time beside {REFERENCE}'s: {_title(cells)}"
    about = (
        f"{len(panels)} panels: what each runtime takes for a call as a multiple of {REFERENCE}, "
        "with 95 % intervals, on logarithmic axes; a dotted line where minirt-oci should be."
    )
    subjects = list(dict.fromkeys(s for panel in panels for s in panel.costs))
    counts = [at.n for panel in panels for at in panel.costs.values()]
    table = Table(
        f"Time as a multiple of {REFERENCE}'s [95 % interval]",
        ["subject", *(panel.title for panel in panels)],
        ratios.rows(cells, panels, subjects),
    )
    svg = ratios.draw(cells, NAME, title, about, panels)
    note = (
        caption(cells, subjects, counts)
        + f"; 1 is {REFERENCE}, less is quicker; dotted: the goal of {goals.OURS}"
    )
    return [Chart(NAME, TOPIC, title, about, note, svg, table)]


def _panels(cells: Cells) -> list[Panel]:
    settings = {str(each): each for metric in WORDS for each in cells.settings(metric)}
    panels = []
    for setting in settings.values():
        for metric, words in WORDS.items():
            costs = {}
            for subject in cells.subjects(metric, setting):
                if subject in (PROCESS, REFERENCE) or subject.endswith(AGAIN):
                    continue
                found = findings.between(cells, metric, subject, REFERENCE, setting)
                if found is not None:
                    costs[subject] = found.ratio
            bounds = [
                goal.most
                for goal in goals.GOALS
                if (goal.metric, goal.beside, goal.wanted) == (metric, REFERENCE, setting)
            ]
            if costs:
                title = f"{words},\n{setting_text(metric, setting)}"
                panels.append(Panel(title, costs, bounds))
    return panels


def _title(cells: Cells) -> str:
    """Ours, with gaps, call by call."""
    parts = []
    for metric, words in WORDS.items():
        found = findings.between(cells, metric, goals.OURS, REFERENCE, goals.GAP)
        if found is not None:
            parts.append(f"{words} {units.ratio(found.ratio)}")
    return "minirt-oci " + ("; ".join(parts) if parts else "was not measured")
