"""The report as one HTML page that needs nothing else, and asks no server for anything."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from bench import findings
from bench.charts import Chart, charts
from bench.charts.html import figure, table
from bench.report import conditions, kinds, method
from bench.report.claims import EMULATOR
from bench.words import fact_text, machine_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.cells import Cells
    from bench.charts import Missing
    from bench.report.claims import Verdict
    from bench.report.kinds import Kind

HERE = Path(__file__).parent
SECTIONS = (
    ("verdicts", ""),  # as the kind of the report calls them
    ("headline", "At a glance"),
    ("charts", "Charts"),
    ("method", "Method"),
    ("machine", "Machine"),
    ("subjects", "Who was measured"),
    ("absent", "What was not measured"),
)


def page(cells: Cells) -> str:
    """The whole document."""
    kind = kinds.of(cells)
    bodies = (
        _verdicts(kind, cells), "".join(table(each) for each in kind.tables(cells)),
        _charts(charts(cells)), _method(cells), table(method.machine(cells)),
        table(method.subjects(cells)), _absent(cells),
    )  # fmt: skip
    headings = [(name, heading or kind.asks) for name, heading in SECTIONS]
    sections = "\n".join(
        f'<section aria-labelledby="{name}"><h2 id="{name}">{heading}</h2>\n{body}</section>'
        for (name, heading), body in zip(headings, bodies, strict=True)
    )
    links = "".join(f'<li><a href="#{name}">{heading}</a></li>' for name, heading in headings)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{kind.title}: minirt benchmarks</title>\n<style>\n{_file('report.css')}</style>\n"
        '</head>\n<body>\n<a class="skip" href="#main">Skip to the verdicts</a>\n'
        f'<header><h1>{kind.title}</h1>\n<button id="theme" type="button" hidden>Dark</button>\n'
        f"{_subtitle(cells)}</header>\n"
        f'<nav aria-label="Sections"><ul>{links}</ul></nav>\n<main id="main">\n'
        f"{_warnings(cells)}{sections}\n</main>\n<script>\n{_file('report.js')}</script>\n"
        "</body>\n</html>\n"
    )


def _file(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _subtitle(cells: Cells) -> str:
    started = fact_text(cells.header.get("started"))
    words = [*machine_words(cells), f"measured {started}" if started else ""]
    return f'<p class="facts">{escape(" · ".join(filter(None, words)))}</p>\n'


def _warnings(cells: Cells) -> str:
    found = conditions.warnings(cells)
    emulated = [s for s in cells.subjects() if cells.emulated(s)]
    if emulated:
        found.append(f"{', '.join(cells.label(s) for s in emulated)}: {EMULATOR}")
    return "".join(f'<p class="warning" role="note">{escape(text)}</p>\n' for text in found)


def _verdicts(kind: Kind, cells: Cells) -> str:
    found = "".join(_verdict(each) for each in kind.verdicts(cells))
    return f'<div class="verdicts">{found}</div>\n'


def _verdict(of: Verdict) -> str:
    who = f'<p class="who">{escape(of.who)}</p>' if of.who else ""
    pairs = (
        f"<details><summary>All pairs<span class='hidden'> for {escape(of.claim.name)}</span>"
        f"</summary>{table(of.pairs)}</details>"
        if of.pairs
        else ""
    )
    style = kinds.STYLES.get(of.word, "unmeasured")
    figures = '<p class="figures">Emulator figures</p>' if of.caveat else ""
    return (
        f'<article class="{style}"><h3>{escape(of.claim.name)}</h3>'
        f'<p class="word"><span aria-hidden="true">{kinds.SIGNS[of.word]}</span> {of.word}</p>'
        f'<p class="says">“{escape(of.claim.says)}”</p>{who}'
        f"{figures}{_list(of.lines)}{pairs}</article>\n"
    )


def _charts(found: Iterable[Chart | Missing]) -> str:
    parts = []
    topic = ""
    for chart in found:
        if chart.topic != topic:
            parts.append(f"<h3>{escape(chart.topic)}</h3>\n")
            topic = chart.topic
        if isinstance(chart, Chart):
            parts.append(figure(chart) + "\n")
        else:
            parts.append(f'<p class="missing">Not measured: {escape(chart.why)}.</p>\n')
    return "".join(parts)


def _method(cells: Cells) -> str:
    words = _list([*method.sentences(cells), method.same_in_words(cells)])
    tables = [method.same(cells), method.plan(cells)]
    return words + "".join(table(each) for each in tables if each.rows) + _sides(cells)


def _sides(cells: Cells) -> str:
    """Which subjects the sentences above charts and verdicts are about."""
    container, machine = findings.standing(cells)
    if not container or not machine:
        return ""
    return (
        "<p>One container and one VM stand for all in the whole report: the first VM of a fixed "
        "list that was measured, and the first container with the same kind of network: "
        f"{escape(findings.name(cells, container))}, and {escape(findings.name(cells, machine))}. "
        "All other pairs with equal networks are listed with each verdict. An emulated VM is in no "
        "title, but where bytes are counted; another runtime takes its place.</p>\n"
    )


def _absent(cells: Cells) -> str:
    found = method.absent(cells)
    return table(found) if found.rows else "<p>Everything that was planned was measured.</p>\n"


def _list(lines: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"
