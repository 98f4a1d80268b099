"""The report says what its file holds, no more, and can be read by everyone, offline."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import bench_results
import pytest

from bench import cells, charts, report
from bench.charts import Chart, Missing
from bench.report import claims
from bench.samples import Absent, Results, Sample

if TYPE_CHECKING:
    from pathlib import Path

EVIL = "<script>alert('x')</script>&\"$x$"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bench_results.write(tmp_path_factory.mktemp("bench") / "results.jsonl")


@pytest.fixture(scope="module")
def read(file: Path) -> cells.Cells:
    return cells.load(file)


@pytest.fixture(scope="module")
def drawn(read: cells.Cells) -> list[Chart]:
    return [chart for chart in charts.charts(read) if isinstance(chart, Chart)]


@pytest.fixture(scope="module")
def html(read: cells.Cells) -> str:
    return report.page(read)


def only(read: cells.Cells, *subjects: str, **changes: object) -> cells.Cells:
    """The same file with some of its subjects."""
    kept = [s for s in read.results.samples if s.subject in subjects]
    results = replace(read.results, samples=kept)
    return cells.Cells(replace(results, **changes))  # type: ignore[arg-type]


class Outline(HTMLParser):
    """What a browser would find: ids, addresses, open elements, the text."""

    VOID = frozenset({"meta", "br", "link", "img"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.scripts = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.ids += [named["id"] or ""] if "id" in named else []
        self.links += [v or "" for k, v in attrs if k in ("href", "src", "xlink:href", "action")]
        self.scripts += tag == "script"
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_refers_only_to_itself(html: str) -> None:
    outline = Outline(html)
    assert not outline.open
    assert len(outline.ids) == len(set(outline.ids))
    assert all(link.startswith("#") for link in outline.links)
    assert {link[1:] for link in outline.links} <= set(outline.ids)
    assert set(re.findall(r"url\(#([^)]*)\)", html)) <= set(outline.ids)
    assert not re.search(r"@import|url\((?!#)|fetch\(", html)


def test_the_same_file_gives_the_same_page(read: cells.Cells, html: str) -> None:
    assert report.page(read) == html


def test_every_question_has_its_chart(drawn: list[Chart]) -> None:
    names = {chart.name for chart in drawn}
    assert names == {
        "start-1", "start-2", "phases", "price", "memory", "density", "starts", "cpu", "disk",
        "network", "disk-image", "disk-writable", "tracing",
    }  # fmt: skip


def test_a_chart_is_one_line_of_svg_with_title_and_description(drawn: list[Chart]) -> None:
    for chart in drawn:
        assert "\n" not in chart.svg
        root = ET.fromstring(chart.svg)  # noqa: S314 (made here)
        names = {child.get("id"): child.text for child in root}
        labels = (root.get("aria-labelledby") or "").split()
        assert root.get("role") == "img"
        assert [names[label] for label in labels] == [chart.title, chart.about]


def test_a_chart_takes_text_and_grid_from_the_page(drawn: list[Chart]) -> None:
    for chart in drawn:
        assert "currentColor" in chart.svg
        assert "var(--chart-grid" in chart.svg
        assert not re.search(r"#0[1-9]0[1-9]0[1-9]|<style|#000000|#ffffff|date", chart.svg)
        assert "DejaVu" not in chart.svg


def test_a_chart_of_an_emulated_vm_says_so(drawn: list[Chart]) -> None:
    shown = [chart for chart in drawn if "QEMU microvm" in chart.svg]
    assert len(shown) >= 8
    for chart in shown:
        assert "TCG, no KVM" in chart.caption
        assert "QEMU microvm (emulated)" in chart.svg
        assert "QEMU microvm<" not in chart.svg


def test_a_table_has_a_row_for_each_line_of_its_chart(drawn: list[Chart]) -> None:
    for chart in drawn:
        assert chart.table.rows
        assert {len(row) for row in chart.table.rows} == {len(chart.table.head)}
        subjects = {row[0] for row in chart.table.rows}
        text = " ".join(ET.fromstring(chart.svg).itertext())  # noqa: S314 (made here)
        assert all(subject in text for subject in subjects) or chart.name.startswith(
            ("start-", "phases")
        )


def test_titles_state_what_the_samples_say(drawn: list[Chart]) -> None:
    titles = {chart.name: chart.title for chart in drawn}
    assert re.search(r"microvm \(emulated\) takes 1[4-6]\.\d times as long", titles["start-2"])
    assert titles["price"].startswith("The dearest step is minirt, step 4: 1")
    assert "no price shown with recorder on" in titles["tracing"]


def test_a_phase_that_encloses_others_is_in_the_table_only(drawn: list[Chart]) -> None:
    (chart,) = (chart for chart in drawn if chart.name == "phases")
    assert "bridge.attach" in chart.svg
    assert "minirt run" not in chart.svg
    assert ["step 6" in row[0] for row in chart.table.rows if row[1] == "minirt run"] == [True]
    assert chart.title.startswith("minirt, step 6: 130 ms of 151 ms is bridge.attach")


def test_each_claim_has_a_verdict(read: cells.Cells) -> None:
    found = {v.claim.name: v for v in claims.verdicts(read)}
    assert {name: v.word for name, v in found.items()} == {
        "Faster start": claims.HELD, "Less memory": claims.HELD, "Less disk": claims.HELD,
        "Less CPU": claims.HELD, "Denser packing": claims.OPEN,
        "Better utilisation": claims.HELD, "Faster scale-out": claims.HELD,
    }  # fmt: skip
    assert "too few for an interval" in found["Denser packing"].lines[0]
    emulated = [name for name, v in found.items() if v.caveat == claims.EMULATOR]
    assert emulated == [name for name in found if name != "Less disk"]  # files are not emulated


def test_a_vm_that_was_not_emulated_needs_no_caveat(read: cells.Cells) -> None:
    verdict = claims.judge(only(read, "step6", "uml"), claims.CLAIMS[0])
    assert verdict.word == claims.HELD
    assert not verdict.caveat


def test_verdicts_turn_with_the_samples(read: cells.Cells) -> None:
    swap = {"step6": "microvm", "microvm": "step6"}
    turned = [
        replace(s, subject=swap[s.subject]) for s in read.results.samples if s.subject in swap
    ]
    found = cells.Cells(replace(read.results, samples=turned))
    assert claims.judge(found, claims.CLAIMS[0]).word == claims.REFUTED
    alike = [
        replace(s, subject=name, round=s.round if name == "step6" else 29 - s.round)
        for s in read.results.samples
        if s.subject == "step6" and s.metric == "start"
        for name in swap
    ]
    found = cells.Cells(replace(read.results, samples=alike))
    assert claims.judge(found, claims.CLAIMS[0]).word == claims.OPEN


def test_a_claim_without_a_vm_is_not_measured_and_says_why(read: cells.Cells) -> None:
    gone = [Absent("microvm", "qemu-system-x86_64 is not installed"), Absent("uml", "too slow")]
    for verdict in claims.verdicts(only(read, "process", "step6", absent=gone)):
        assert verdict.word == claims.UNMEASURED
        assert "QEMU microvm: qemu-system-x86_64 is not installed" in verdict.lines


def test_a_measure_that_no_pair_shares_is_not_measured(read: cells.Cells) -> None:
    kept = [replace(s, detail={}) for s in read.results.samples if s.metric == "start"]
    found = cells.Cells(replace(read.results, samples=kept))
    (verdict,) = (v for v in claims.verdicts(found) if v.claim.name == "Better utilisation")
    assert verdict.word == claims.UNMEASURED
    assert verdict.lines[0].startswith("processor time that a start takes: no container and VM")


def test_charts_of_an_interrupted_run_say_so(read: cells.Cells) -> None:
    found = charts.charts(only(read, "step6", "microvm", complete=False))
    drawn = [chart for chart in found if isinstance(chart, Chart)]
    assert drawn
    assert all("from an interrupted run" in chart.caption for chart in drawn)


def test_whatever_is_absent_the_report_is_made(read: cells.Cells) -> None:
    results = Results({}, [], [], complete=False)
    empty = report.page(cells.Cells(results))
    assert "The run was interrupted" in empty
    assert all(isinstance(c, Missing) for c in charts.charts(cells.Cells(results)))
    for subject in ("process", "step6", "microvm"):
        report.page(only(read, subject))
    for metric in read.metrics():
        kept = [s for s in read.results.samples if s.metric == metric]
        report.page(cells.Cells(replace(read.results, samples=kept)))


def test_single_samples_and_odd_details_do_not_stop_the_report() -> None:
    odd = [
        Sample("start", "step6", 0.1, "s", 0, {}, {"phases": {"a": [0, 1], "b": "x"}}),
        Sample("start", "microvm", 0.0, "s", 0, {}, {"phases": [], "first_s": None}),
        Sample("memory", "novel", 1, "bytes", 0, {"instances": "many"}),
        Sample("cpu", "novel", 5, "s", 0), Sample("new", "novel", -1, "calls/s", 0),
    ]  # fmt: skip
    assert "step6" in report.page(cells.Cells(Results({}, odd, [], complete=True)))


def test_nothing_of_the_file_becomes_markup(read: cells.Cells) -> None:
    header = bench_results.header(
        machine={EVIL: EVIL, "cpu": EVIL}, plan={EVIL: EVIL}, seed=EVIL, started=EVIL,
        subjects={s: {"label": EVIL, "note": EVIL, "family": "vm" if s == "uml" else "container"}
                  for s in bench_results.SUBJECTS},
    )  # fmt: skip
    samples = [
        replace(s, setting={**s.setting, "what" if s.metric == "disk" else EVIL: EVIL})
        for s in read.results.samples
        if s.round < 6
    ]
    absent = [Absent(EVIL, EVIL, EVIL)]
    page = report.page(cells.Cells(Results(header, samples, absent, complete=True)))
    outline = Outline(page)
    assert outline.scripts == 1
    assert not outline.open
    assert "alert(&#x27;x&#x27;)" in page


def test_the_page_names_disturbance_the_aa_pair_and_what_is_absent(html: str) -> None:
    text = re.sub(r"<[^>]*>", " ", html)
    assert "30 of 1796 samples are flagged as disturbed" in text
    assert "The interval of the A/A pair holds 1 in 2 of 2 settings" in text
    assert "no daemon answers at /var/run/docker.sock" in text
    assert "cannot hold 50 &lt;here&gt;" in text
    assert "measured in 30 rounds" in text
    assert "1 measurements failed" in text


def test_the_commands_write_where_they_are_told(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report.main([str(file), "--out", str(tmp_path / "new")]) == 0
    assert (tmp_path / "new" / "report.html").is_file()
    assert charts.main([str(file), "--out", str(tmp_path / "svg")]) == 0
    lines = (tmp_path / "svg" / "cpu.svg").read_text().splitlines()
    assert len(lines) == 1
    capsys.readouterr()
    (tmp_path / "bad").write_text("x")
    assert report.main([str(tmp_path / "bad")]) == 2
    assert charts.main([str(tmp_path / "bad"), "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("measure anew") == 2
