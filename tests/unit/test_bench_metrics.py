"""The parts of metrics that need no subject: limits, stamps and what /proc says."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import pytest

from bench.metrics import ALL, density, memory, pages, upper
from bench.metrics.density import BUDGET, MOST, Sweep
from bench.metrics.stamped import work
from bench.subject import Run
from bench.subjects import catalog
from bench.subjects.place import Place
from bench.subjects.plain import Plain
from minirt.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.subjects.launched import Launched

MIB = 1 << 20
PLENTY = 4 * BUDGET


def run(*lines: tuple[str, int]) -> Run:
    return Run(0, 10_000, 0, list(lines))


def test_work_is_what_lies_between_its_first_and_its_last_line() -> None:
    done = work(run(("hello", 500), ("begin read", 1_000), ("end read 64 0.5 0.25", 3_000)))
    assert (done.seconds, done.amount) == (2e-6, 64)
    assert done.rate == 32e6


@pytest.mark.parametrize(
    "lines",
    [
        [("begin read", 1_000)],
        [("end read 64 0.5 0.25", 1_000)],
        [
            ("begin read", 1),
            ("end read 64 0.5 0.25", 2),
            ("begin read", 3),
            ("end read 64 0.5 0.25", 4),
        ],
    ],
)
def test_work_that_does_not_say_its_times_is_refused(lines: list[tuple[str, int]]) -> None:
    with pytest.raises(HostError, match="where its work begins and ends"):
        work(run(*lines))


def test_lines_that_arrive_together_tell_no_time() -> None:
    with pytest.raises(HostError, match="no times of their own"):
        work(run(("begin read", 1_000), ("end read 64 0.5 0.25", 1_000)))


def test_a_first_line_that_has_the_time_of_the_program_before_it_is_none() -> None:
    vm = run(("begin read", 1_000), ("end read 64 0.5 0.25", 3_000))
    vm.phases["vm.command"] = (1_000, 4_000)
    with pytest.raises(HostError, match="no times of their own"):
        work(vm)


def test_a_program_in_a_vm_takes_the_processor_time_of_qemu_between_its_lines() -> None:
    vm = run(("hello", 500), ("begin read", 1_000), ("end read 64 0.5 0.25", 3_000))
    assert work(vm).cpu_s == 0.75
    vm.used = [1.0, 1.5, 4.5]
    assert work(vm).cpu_s == 3.0


SMAPS = """5590-5594 r-xp 00000000 08:01 42                         /usr/bin/program
Rss:                  16 kB
Anonymous:             4 kB
5594-5598 rw-p 00004000 08:01 42                         /usr/bin/program
Rss:                   8 kB
Anonymous:             8 kB
7ff0-7ff4 rw-p 00000000 00:00 0                          [stack]
Rss:                  12 kB
Anonymous:            12 kB
7ff4-7ff8 rw-s 00000000 00:01 7                          /memfd:ring (deleted)
Rss:                   4 kB
Anonymous:             0 kB
"""


def test_the_pages_of_a_file_are_those_that_no_process_has_changed() -> None:
    assert pages.of_files(SMAPS.splitlines(keepends=True)) == {"08:01 42": 12 * 1024}


def test_a_process_beside_its_like_has_the_pages_of_files_once() -> None:
    once, twice = pages.of([os.getpid()]), pages.of([os.getpid()] * 2)
    assert once.private > MIB
    assert twice.shared_file == pytest.approx(once.shared_file, rel=0.05)
    assert pages.of([]) == (0, 0)


def test_the_kernels_part_is_told_of_many_and_never_negative() -> None:
    assert memory.kernel_part(20 * MIB, 10)["kernel"] == 2 * MIB
    assert memory.kernel_part(20 * MIB, 9)["kernel"] is None
    assert memory.kernel_part(-MIB, 10)["kernel"] is None


def test_a_metric_goes_by_the_name_without_again() -> None:
    (again,) = catalog.choose(["step6-none-again"], Place())
    for metric in ALL:
        for setting in metric.settings(full=True):
            (plain,) = catalog.choose(["step6-none"], Place())
            about = [metric.about(each, setting, full=False) for each in (plain, again)]
            assert about[0] == about[1], metric.name


def test_a_sweep_ends_with_the_one_that_takes_too_much_memory() -> None:
    sweep = Sweep(PLENTY)
    sweep.add(0.1, PLENTY - BUDGET // 2)
    assert not sweep.limit
    sweep.add(0.1, PLENTY - BUDGET - MIB)
    assert (sweep.limit, sweep.count) == (density.MEMORY, 1)


def test_a_sweep_takes_no_more_than_half_of_a_small_machine() -> None:
    assert Sweep(100 * MIB).budget == 50 * MIB


@pytest.mark.parametrize(("first_s", "second_s", "ends"), [
    (0.1, 1.9, False), (0.1, 2.1, True),
    (4.0, 11.0, False), (4.0, 13.0, True),
])  # fmt: skip
def test_a_slow_start_ends_a_sweep_unless_all_are_slow(
    first_s: float, second_s: float, *, ends: bool
) -> None:
    sweep = Sweep(PLENTY)
    sweep.add(first_s, PLENTY)
    assert not sweep.limit
    sweep.add(second_s, PLENTY)
    assert (sweep.limit == density.SLOW) == ends
    assert sweep.count == 2 - ends


def test_a_sweep_is_bounded_in_number_and_in_time() -> None:
    many, long = Sweep(PLENTY), Sweep(PLENTY)
    while not many.limit:
        many.add(0.01, PLENTY)
    while not long.limit:
        long.add(1.0, PLENTY)
    assert (many.limit, many.count) == (density.COUNT, MOST)
    assert (long.limit, long.count) == (density.TIME, density.SWEEP_S + 1)


class Refusing(Plain):
    """Starts nothing: the launch fails."""

    def launch(self, argv: Sequence[str]) -> Launched:
        raise HostError(f"no room for {argv}")


def test_an_error_ends_a_sweep_but_not_before_something_started() -> None:
    sweep, subject = Sweep(PLENTY), Refusing(Place())
    with contextlib.ExitStack() as stack:
        with pytest.raises(HostError, match="no room"):
            sweep.start(subject, stack)
        sweep.add(0.1, PLENTY)
        sweep.start(subject, stack)
    assert (sweep.limit, sweep.count) == (density.ERROR, 1)
    assert "no room" in sweep.detail()["why"]


def test_the_kernels_memory_is_the_sum_of_its_fields_that_are_there() -> None:
    assert memory.kernel({"Slab": 5, "PageTables": 2, "MemFree": 100}) == 7
    assert memory.kernel(memory.meminfo()) > MIB


def test_a_launch_stops_before_half_of_the_memory_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    told = iter([100, 100, 49])
    monkeypatch.setattr(memory, "available", lambda: next(told))
    monkeypatch.setattr(Plain, "launch", lambda *_: contextlib.nullcontext())
    with contextlib.ExitStack() as stack, pytest.raises(HostError, match="only 1 of 3"):
        memory.launch(Plain(Place()), 3, stack)


def test_a_process_without_an_overlay_of_its_own_has_no_writable_layer() -> None:
    assert upper.directory([]) == ""


def test_what_a_quick_run_leaves_out_has_no_time_there() -> None:
    for metric in ALL:
        assert bool(metric.settings(full=False)) == bool(metric.seconds[0]), metric.name
        assert metric.settings(full=True), metric.name


def test_the_budgets_of_a_quick_run_leave_time_to_prepare_and_report_in_four_minutes() -> None:
    assert sum(metric.seconds[0] for metric in ALL) <= 200
