"""Verdicts follow from the samples of one pair that did equal work, or there are none."""

from __future__ import annotations

import re
from dataclasses import replace

import bench_results
import pytest

from bench import cells, charts, loading, report
from bench.charts import Chart
from bench.report import claims
from bench.samples import Absent


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> cells.Cells:
    return loading.load(bench_results.write(tmp_path_factory.mktemp("bench") / "results.jsonl"))


def words(read: cells.Cells) -> dict[str, str]:
    return {v.claim.name: v.word for v in claims.verdicts(read)}


def test_against_an_emulated_vm_nothing_is_judged_but_bytes_on_disk(
    read: cells.Cells,
) -> None:
    html = report.page(read)
    found = words(read)
    assert found.pop("Less disk") == claims.PARTLY
    assert set(found.values()) == {claims.EMULATED}
    assert html.count("Emulator figures") == 6
    assert 'class="held"' not in html
    assert 'class="refuted"' not in html
    lines = claims.judge(read, claims.CLAIMS[0]).lines
    assert re.match(r"from request to exit .*: emulated VM / container = 8\d\.\d \[", lines[0])


def test_each_claim_has_a_verdict_where_the_vm_has_a_processor(read: cells.Cells) -> None:
    found = words(bench_results.accelerated(read))
    assert found.pop("Less disk") == claims.PARTLY  # the VM has no writable layer on a disk
    assert set(found.values()) == {claims.HELD}


def test_a_claim_is_held_only_if_every_measure_was_taken(read: cells.Cells) -> None:
    disk = next(claim for claim in claims.CLAIMS if claim.name == "Less disk")
    verdict = claims.judge(read, disk)
    assert verdict.word == claims.PARTLY
    assert any("writable layer: not measured" in line for line in verdict.lines)


def test_the_pair_that_is_judged_is_one_and_has_equal_networks(read: cells.Cells) -> None:
    found = claims.verdicts(bench_results.accelerated(read))
    assert {v.who for v in found} == {
        "minirt, step 6, no network against QEMU microvm, both without a network"
    }
    rows = [row for v in found if v.pairs for row in v.pairs.rows]
    assert not any(row[0] == "minirt, step 6" for row in rows)
    bridged = bench_results.accelerated(read)
    bridged.header["subjects"]["microvm"]["network"] = "tap"
    assert "minirt, step 6 against" in claims.judge(bridged, claims.CLAIMS[0]).who


def test_user_mode_linux_stands_for_no_vm(read: cells.Cells) -> None:
    assert set(words(bench_results.only(read, "step6-none", "uml")).values()) == {claims.UNMEASURED}


def test_counts_that_memory_did_not_end_have_no_ratio(read: cells.Cells) -> None:
    ended = [
        replace(s, detail={"limit": "count"}) if s.subject == "step6-none" else s
        for s in read.results.samples
        if s.metric == "density"
    ]
    found = bench_results.accelerated(read, samples=ended)
    dense = next(claim for claim in claims.CLAIMS if claim.name == "Denser packing")
    verdict = claims.judge(found, dense)
    assert verdict.word == claims.UNMEASURED
    assert "no network at least 90 (ended by count); QEMU microvm 4 (" in verdict.lines[0]
    chart = next(c for c in charts.charts(found) if c.name == "density")
    assert isinstance(chart, Chart)
    assert "at least 90" in chart.svg
    assert "times" not in chart.title


def test_verdicts_turn_with_the_samples(read: cells.Cells) -> None:
    swap = {"step6-none": "microvm", "microvm": "step6-none"}
    turned = [
        replace(s, subject=swap[s.subject]) for s in read.results.samples if s.subject in swap
    ]
    assert words(bench_results.accelerated(read, samples=turned))["Faster start"] == claims.REFUTED
    alike = [
        replace(s, subject=name, round=s.round if name == "microvm" else 29 - s.round)
        for s in read.results.samples
        if s.subject == "step6-none" and s.metric == "start"
        for name in swap
    ]
    assert words(bench_results.accelerated(read, samples=alike))["Faster start"] == claims.OPEN


def test_a_claim_without_a_vm_is_not_measured_and_says_why(read: cells.Cells) -> None:
    gone = [Absent("microvm", "qemu-system-x86_64 is not installed"), Absent("uml", "too slow")]
    for verdict in claims.verdicts(bench_results.only(read, "process", "step6", absent=gone)):
        assert verdict.word == claims.UNMEASURED
        lines = " ".join(verdict.lines)
        assert "not measured: QEMU microvm: qemu-system-x86_64 is not installed" in lines


def test_a_measure_that_no_pair_shares_is_not_measured(read: cells.Cells) -> None:
    kept = [replace(s, detail={}) for s in read.results.samples if s.metric == "start"]
    found = cells.Cells(replace(read.results, samples=kept))
    (verdict,) = (v for v in claims.verdicts(found) if v.claim.name == "CPU of a start")
    assert verdict.word == claims.UNMEASURED
    own = "minirt, step 6, no network"
    assert (
        f"of its own processes: not measured: {own}; QEMU microvm: the samples do not have it"
        in verdict.lines
    )
