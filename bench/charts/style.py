"""How a subject looks: one colour, marker and line in all charts, told apart without colour too.

Colours are of Okabe and Ito's palette, of those with a contrast of 3:1 on white and on the dark
page; text is never coloured. matplotlib knows no CSS, so text, grid and page have colours that
stand for something else and are replaced in the finished SVG.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bench.cells import AGAIN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.typing import RcKeyType

BLUE, VERMILLION, GREEN, PURPLE = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
INK, GRID, PAGE = "#010203", "#040506", "#070809"
CSS: Mapping[str, str] = {
    INK: "currentColor",
    GRID: "var(--chart-grid, #8886)",
    PAGE: "var(--chart-page, transparent)",
}


class Look(NamedTuple):
    colour: str
    marker: str
    line: str


LOOKS: Mapping[str, Look] = {
    "process": Look(INK, "o", ":"),
    "step1": Look(BLUE, "1", ":"),
    "step2": Look(BLUE, "2", ":"),
    "step3": Look(BLUE, "3", "-."),
    "step4": Look(BLUE, "4", "-."),
    "step5": Look(BLUE, "+", "--"),
    "step6": Look(BLUE, "s", "-"),
    "step6-none": Look(BLUE, "D", "--"),
    "step6-none-compile": Look(BLUE, "d", ":"),
    "warm": Look(PURPLE, "*", "-"),
    "minirt-oci": Look(BLUE, "s", "-"),
    "runc": Look(GREEN, "^", "-"),
    "crun": Look(GREEN, "v", "--"),
    "crun-nocgroup": Look(GREEN, "1", "-."),
    "bwrap": Look(GREEN, "<", ":"),
    "podman": Look(GREEN, ">", "-."),
    "docker": Look(GREEN, "p", "-"),
    "lxc": Look(GREEN, "h", "--"),
    "microvm": Look(VERMILLION, "P", "-"),
    "microvm-tap": Look(VERMILLION, "4", "--"),
    "q35": Look(VERMILLION, "X", "--"),
    "uml": Look(VERMILLION, "d", "-."),
}
UNKNOWN = Look(INK, ".", "--")


def look(subject: str) -> Look:
    """A subject that is measured again looks like itself, but for marker and line."""
    name = subject.removesuffix(AGAIN)
    found = LOOKS.get(name, UNKNOWN)
    return found if name == subject else Look(found.colour, "x", ":")


RC: dict[RcKeyType, object] = {
    "svg.fonttype": "none",  # text stays text: it can be searched, selected and read out
    "svg.hashsalt": "minirt",
    "text.parse_math": False,  # a "$" in a label is a dollar
    "font.size": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.titlesize": 9.5,
    "figure.facecolor": "none",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.6,
    "lines.markersize": 6,
}
