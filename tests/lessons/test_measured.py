"""The charts of the lessons say what is in the results beside them, however they are drawn."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench import charts

if TYPE_CHECKING:
    from collections.abc import Mapping

MEASURED = Path(__file__).resolve().parents[2] / "lessons" / "recorded" / "measured"
EMBEDDED = sorted(path.name for path in MEASURED.glob("*.html"))


def said(path: Path) -> str:
    """A chart's caption and table."""
    return re.sub(r"<svg.*?</svg>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """All charts of the results, drawn anew."""
    out = tmp_path_factory.mktemp("charts")
    assert charts.main([str(MEASURED / "results.jsonl"), "--out", str(out)]) == 0
    return {path.name: said(path) for path in out.glob("*.html")}


def test_there_are_charts() -> None:
    assert EMBEDDED


@pytest.mark.parametrize("name", EMBEDDED)
def test_an_embedded_chart_has_the_numbers_of_its_results(
    drawn: Mapping[str, str], name: str
) -> None:
    assert said(MEASURED / name) == drawn[name]
