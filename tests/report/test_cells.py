"""Files of older collectors are read for what they tell, and no further."""

from __future__ import annotations

import pytest

from bench import words
from bench.cells import Cells
from bench.charts import Chart, charts, html
from bench.report import conditions, reasons
from bench.samples import Absent, Results, Sample
from bench.table import Table


def cells(*samples: Sample, absent: tuple[Absent, ...] = (), **header: object) -> Cells:
    return Cells(Results(header, list(samples), list(absent), complete=True))


def memory(instances: int, kernel: float | None, **more: float) -> Sample:
    value = 5e6 + (kernel or 0)
    detail = {"pss": 5e6, "kernel": kernel, **more}
    return Sample("memory", "runc", value, "bytes", 0, {"instances": instances}, detail)


@pytest.mark.parametrize(
    ("sample", "told"),
    [(memory(1, 2e6), []), (memory(10, -2e6), []), (memory(10, 2e6), [2e6])],
)
def test_memory_is_that_of_processes_and_the_kernels_is_apart(
    sample: Sample, told: list[float]
) -> None:
    found = cells(sample)
    assert [value for _, value in found.series("memory", "runc")] == [5e6]
    assert [value for _, value in found.of_detail("memory", "runc", {}, "kernel")] == told


def test_the_kernels_memory_has_columns_of_its_own_and_is_never_negative() -> None:
    found = cells(memory(1, -2e6), memory(10, -2e6), memory(50, 3e6))
    (chart,) = (c for c in charts(found) if isinstance(c, Chart) and c.name == "memory")
    assert list(chart.table.head) == ["subject", "1", "10", "50", "50: the kernel's"]
    assert not any(cell.startswith("-") for row in chart.table.rows for cell in row)


def test_the_network_is_that_of_the_header_or_else_of_the_note() -> None:
    about = {"a": {"network": "tap"}, "b": {"note": "veth, bridge and NAT"}, "c": {"note": ""}}
    found = cells(subjects=about)
    assert [found.network(name) for name in about] == ["bridge", "bridge", "none"]


def test_a_reason_that_names_another_part_of_the_disk_is_not_given() -> None:
    image = Sample("disk", "step6-none", 1, "bytes", 0, {"what": "writable"})
    other = Absent("microvm", "writable: it is in memory", "disk")
    start = Sample("start", "microvm", 1, "s", 0)
    found = cells(image, start, absent=(other,))
    (line,) = reasons.lacking(found, "disk", {"what": "writable"}, "")
    assert line == "microvm: writable: it is in memory"
    (line,) = reasons.lacking(found, "disk", {"what": "first-start"}, "")
    assert line == "step6-none; microvm: no sample, and the file says nothing why"


def test_what_a_quick_run_leaves_out_says_so_where_the_chart_would_be() -> None:
    why = "not in a quick run; make bench-full"
    found = charts(cells(absent=(Absent("runc", why, "density"),)))
    assert next(c.why for c in found if c.name == "density" and not isinstance(c, Chart)) == why


def test_repeated_boots_are_counted() -> None:
    found = cells(Sample("start", "q35", 30, "s", 0, {}, {"retries": 1}))
    assert conditions.retries(found) == [
        "q35, samples that hold a failed boot and its repetition: 1."
    ]


def test_the_notes_of_a_table_are_below_it_and_escaped() -> None:
    page = html.table(Table("c", ["a"], [["b"]], ["the <floor>"]))
    assert page.endswith('<p class="note">the &lt;floor&gt;</p>')


def test_facts_are_for_a_reader() -> None:
    facts = {
        "memory_bytes": 3 << 30, "largest_cache_bytes": 0, "governor": "",
        "load": [1.23456789, 0.0123456], "versions": {"runc": "runc version 1", "cc": "gcc 12"},
    }  # fmt: skip
    assert words.fact_rows(facts) == [
        ("memory", "3.00 GiB"),
        ("load", "1.23, 0.012"),
        ("versions", "runc version 1, cc gcc 12"),
    ]
