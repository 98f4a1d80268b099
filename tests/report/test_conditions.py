"""What the machine did meanwhile is said, on top where it puts all figures in doubt."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import bench_results
import pytest

from bench import cells, loading
from bench.report import conditions
from bench.samples import Results, Sample

if TYPE_CHECKING:
    from bench.samples import Setting


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> cells.Cells:
    return loading.load(bench_results.write(tmp_path_factory.mktemp("bench") / "results.jsonl"))


def test_sensitivity_is_the_worst_of_each_metric_and_names_what_is_flagged_throughout() -> None:
    def taken(subject: str, setting: Setting, flagged: int, factor: float) -> list[Sample]:
        return [
            Sample("start", subject, factor if i < flagged else 1.0, "s", i, setting, {}, 0.0,
                   i < flagged)
            for i in range(10)
        ]  # fmt: skip

    samples = [
        *taken("runc", {"gap_s": 0}, 6, 1.5), *taken("runc", {"gap_s": 0.06}, 6, 1.1),
        *taken("crun", {"gap_s": 0}, 10, 1.0),
    ]  # fmt: skip
    lines = conditions.sensitivity(cells.Cells(Results({}, samples, [], complete=True)))
    assert "start 33% (runc, back to back)" in lines[0]
    assert lines[1] == "All samples are flagged of start: crun, back to back."


def test_a_busy_or_virtual_machine_is_a_warning_on_top(read: cells.Cells) -> None:
    def found(flagged: bool, **machine: object) -> str:  # noqa: FBT001
        header = bench_results.header(machine={**bench_results.MACHINE, **machine})
        samples = [replace(s, disturbed=flagged) for s in read.results.samples]
        changed = replace(read.results, header=header, samples=samples)
        return " ".join(conditions.warnings(cells.Cells(changed)))

    assert found(flagged=False) == ""
    assert "a load of 2.5 on 2 processors" in found(flagged=False, load=[2.5, 0, 0])
    assert "100% of the samples were taken under contention" in found(flagged=True)
    assert "This machine is itself a VM" in found(flagged=False, virtualised=True)
