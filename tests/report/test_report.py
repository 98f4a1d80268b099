"""The report says what its file holds, no more, and can be read by everyone, offline."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import bench_results
import pytest

from bench import cells, charts, loading, report
from bench.charts import Chart, Missing
from bench.samples import Absent, Results, Sample

if TYPE_CHECKING:
    from pathlib import Path


EVIL = "<script>alert('x')</script>&\"$x$"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bench_results.write(tmp_path_factory.mktemp("bench") / "results.jsonl")


@pytest.fixture(scope="module")
def read(file: Path) -> cells.Cells:
    return loading.load(file)


@pytest.fixture(scope="module")
def drawn(read: cells.Cells) -> list[Chart]:
    return [chart for chart in charts.charts(read) if isinstance(chart, Chart)]


@pytest.fixture(scope="module")
def html(read: cells.Cells) -> str:
    return report.page(read)


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
        "network", "disk-first-start", "disk-image", "disk-writable", "tracing",
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


def test_titles_state_intervals_of_equal_work(drawn: list[Chart]) -> None:
    titles = {chart.name: chart.title for chart in drawn}
    own = "minirt, step 6, no network"
    assert re.search(rf"{own} against runc: no difference .* 0\.8\d+ to 1", titles["start-2"])
    assert titles["price"].startswith("The dearest step is minirt, step 4: 1")
    assert " to " in titles["price"]
    assert "times" not in titles["density"]  # only the VM and the other step were counted
    assert re.search(rf"; {own} has 3", titles["tracing"]) or own in titles["tracing"]
    timed = [titles[name] for name in titles if not name.startswith("disk-") and name != "phases"]
    assert not any("emulated" in title for title in timed)


def test_a_cost_is_an_interval_and_none_only_below_a_margin(read: cells.Cells) -> None:
    def title(factor: float) -> str:
        scaled = [
            replace(s, value=s.value * factor) if s.subject == "step6-none" else s
            for s in read.results.samples
            if s.metric == "cpu" and s.subject in ("process", "step6-none")
        ]
        found = charts.charts(cells.Cells(replace(read.results, samples=scaled)))
        return next(c.title for c in found if isinstance(c, Chart) and c.name == "cpu")

    assert "takes less than 1.05 times as much in all that was measured" in title(0.95)
    assert re.search(r"takes 1\.[45]\d to 1\.[56]\d times as much where it is most", title(1.5))
    assert "no cost" not in title(1.0)


def test_a_phase_that_encloses_others_is_in_the_table_only(drawn: list[Chart]) -> None:
    (chart,) = (chart for chart in drawn if chart.name == "phases")
    assert "bridge.attach" in chart.svg
    assert "minirt run" not in chart.svg
    assert ["step 6" in row[0] for row in chart.table.rows if row[1] == "minirt run"] == [True] * 2


def test_the_phases_are_those_of_one_run_of_median_length(drawn: list[Chart]) -> None:
    """The fifth of ten: a composite of medians would lie between the fifth and the sixth."""
    (chart,) = (chart for chart in drawn if chart.name == "phases")
    assert "135 ms of 157 ms is bridge.attach" in chart.title
    assert "the run of median length is shown" in chart.caption


def test_charts_of_an_interrupted_run_say_so(read: cells.Cells) -> None:
    found = charts.charts(bench_results.only(read, "step6", "microvm", complete=False))
    drawn = [chart for chart in found if isinstance(chart, Chart)]
    assert drawn
    assert all("from an interrupted run" in chart.caption for chart in drawn)


def test_whatever_is_absent_the_report_is_made(read: cells.Cells) -> None:
    results = Results({}, [], [], complete=False)
    empty = report.page(cells.Cells(results))
    assert "The run was interrupted" in empty
    assert all(isinstance(c, Missing) for c in charts.charts(cells.Cells(results)))
    for subject in ("process", "step6", "microvm"):
        report.page(bench_results.only(read, subject))
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
    assert re.search(r"30 of \d+ samples are flagged for contention", text)
    assert "was compared 2 times, of start; 2 of these intervals hold 1" in text
    assert "no daemon answers at /var/run/docker.sock" in text
    assert "cannot hold 50 &lt;here&gt;" in text
    assert "measured in 30 rounds" in text
    assert "Measurements that failed, 1 in all: runc, start, round 7: it &lt;was&gt; busy" in text
    assert "have a rank correlation of" in text
    assert "Intervals are not adjusted for their number" in text


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
