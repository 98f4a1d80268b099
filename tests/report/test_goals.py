"""A report of runtimes says which goals are reached, and how certain that is."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bench import calls, charts, goals, loading, report
from bench.cells import Cells
from bench.charts import Chart
from bench.samples import Sample, Writer
from bench.stats import Interval

if TYPE_CHECKING:
    from pathlib import Path

USUAL = {"minirt-oci": 0.02, "minirt-oci-again": 0.02, "runc": 0.04, "crun": 0.021}
GAPS = (0.0, 0.06)
SEEN = {"mounts": 28, "seccomp": 2}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bench") / "results.jsonl"
    about = {"suite": "oci", "machine": {"cpu": "Example", "kernel": "6.18.0", "cores": 2}}
    with Writer(path, {**about, "bundle": {"mounts": 10}, "mount_namespace": "one"}) as writer:
        rng = np.random.default_rng(3)
        for number in range(20):
            for sample in of_round(number, rng):
                writer.add(sample)
        writer.finish(failures=[])
    return path


def of_round(number: int, rng: np.random.Generator) -> list[Sample]:
    found = [Sample("oci-run", "process", 0.001, "s", number, {"gap_s": gap}) for gap in GAPS]
    for name, usual in USUAL.items():
        for gap in GAPS:
            took = usual * rng.lognormal(0, 0.03)
            parts = {f"{each}_s": took for each in ("create", "start", "delete")}
            rest = (name, took, "s", number, {"gap_s": gap})
            found += [
                Sample("oci-run", *rest),
                Sample("oci-exec", *rest, {"seen": SEEN}),
                Sample("oci-life", name, took * 3, "s", number, {"gap_s": gap}, parts),
            ]
        found.append(
            Sample("oci-waiting", name, 1e7, "bytes", number, {}, {"pss": 5e6, "private": 4e6})
        )
    for running in (0, 20, 200):
        took = 0.02 * (1.3 if running == 200 else 1) * rng.lognormal(0, 0.01)
        setting = {"running": running, "gap_s": 0.06}
        found.append(Sample("oci-crowd", "minirt-oci", took, "s", number, setting))
    return found


@pytest.fixture(scope="module")
def read(file: Path) -> Cells:
    return loading.load(file)


def without(read: Cells, *dropped: str) -> Cells:
    kept = [sample for sample in read.results.samples if sample.subject not in dropped]
    return Cells(replace(read.results, samples=kept))


@pytest.mark.parametrize(
    ("at", "word"),
    [
        (Interval(0.5, 0.45, 0.6, 30), goals.REACHED),
        (Interval(0.5, 0.45, 0.61, 30), goals.LIKELY),
        (Interval(0.65, 0.55, 0.7, 30), goals.UNLIKELY),
        (Interval(0.65, 0.61, 0.7, 30), goals.MISSED),
        (Interval(0.5, -inf, inf, 3), goals.LIKELY),
    ],
)
def test_the_interval_decides_and_else_nothing_is_certain(at: Interval, word: str) -> None:
    assert goals.word(at, 0.6) == word


def test_each_goal_is_judged_by_its_own_samples(read: Cells) -> None:
    found = {each.goal.name: each for each in goals.judge(read)}
    assert {name: each.word for name, each in found.items()} == {
        "run beside runc": goals.REACHED,
        "run beside crun": goals.REACHED,
        "create, start and delete beside runc": goals.REACHED,
        "exec beside runc": goals.REACHED,
        "memory between create and start": goals.REACHED,
        "run beside a crowd": goals.MISSED,
    }
    crowd = found["run beside a crowd"]
    assert crowd.setting["running"] == 200
    assert crowd.at is not None
    assert crowd.at.value == pytest.approx(1.3, rel=0.05)
    assert crowd.at.paired


def test_what_lacks_is_not_measured(read: Cells) -> None:
    words = {each.goal.name: each.word for each in goals.judge(without(read, "crun"))}
    assert words["run beside crun"] == goals.UNMEASURED
    assert words["run beside runc"] == goals.REACHED
    assert {each.word for each in goals.judge(without(read, "minirt-oci"))} == {goals.UNMEASURED}


def test_the_table_has_every_call_and_says_what_was_equal(read: Cells) -> None:
    table = calls.headline(read)
    assert list(table.head)[2:] == ["minirt-oci", "crun", "runc", "minirt-oci / runc",
                                    "minirt-oci / crun"]  # fmt: skip
    assert len(table.rows) == 6 * len(GAPS) + 3 + 3
    assert "mounts 28" in " ".join(table.notes)
    assert "plain process takes 1.00 ms" in " ".join(table.notes)


def test_charts_and_page_are_of_runtimes(read: Cells) -> None:
    drawn = charts.charts(read)
    assert all(isinstance(chart, Chart) for chart in drawn)
    assert [chart.name for chart in drawn] == ["oci-run-1", "oci-run-2", "oci-calls", "oci-waiting"]
    html = report.page(read)
    assert "<title>minirt-oci beside runc and crun" in html
    assert "virtual machines" not in html
    assert html.count("</article>") == len(goals.GOALS)
    assert "Start-up (after 60 ms of idling) was measured in 20 rounds" in html


def test_a_file_without_anything_of_ours_still_has_a_page(read: Cells) -> None:
    assert "not measured" in report.page(without(read, "minirt-oci", "minirt-oci-again"))
