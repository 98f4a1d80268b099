"""The page of what minirt-oci takes says what the samples beside it say."""

from __future__ import annotations

from pathlib import Path

from bench import calls, loading

ROOT = Path(__file__).parent.parent.parent
RESULTS = ROOT / "lessons/recorded/oci/results.jsonl"
PAGE = ROOT / "docs/oci-speed.md"


def rows() -> list[str]:
    """The tables that `make bench-oci` ends with, of these samples, as Markdown."""
    found = []
    for table in calls.tables(loading.load(RESULTS)):
        found.append(f"| {' | '.join(table.head)} |")
        found += [f"| {' | '.join(row)} |" for row in table.rows]
    return found


def test_the_page_shows_what_was_measured() -> None:
    shown = PAGE.read_text().splitlines()
    assert [row for row in rows() if row not in shown] == []


def test_the_page_counts_the_goals_that_are_reached() -> None:
    judged = calls.judged(loading.load(RESULTS))
    reached = sum(row[-1] == "reached" for row in judged.rows)
    assert f"{reached} of {len(judged.rows)} goals are reached" in PAGE.read_text()
