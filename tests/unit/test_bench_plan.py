"""How often each cell is measured, in which rounds and in which order."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from bench import plan
from bench.metrics.metric import Reading
from bench.metrics.network import Network
from bench.metrics.start import Start
from bench.progress import Bar
from bench.samples import Absent, Writer, read
from bench.schedule import GIVE_UP, WARM_UP, Schedule
from bench.subject import CONTAINER
from bench.subjects import catalog
from bench.subjects.place import Place
from bench.subjects.plain import Plain
from minirt.errors import HostError

if TYPE_CHECKING:
    from pathlib import Path

    from bench.plan import Cell
    from bench.samples import Results, Setting
    from bench.subject import Subject


class Counting:
    """A metric that measures nothing and remembers of whom; what is in `failing` fails."""

    name, title, seconds, least = "counting", "counting", (60.0, 60.0), 2

    def __init__(self, failing: set[str] | None = None, after: int = 0) -> None:
        self.taken: list[str] = []
        self.failing = failing or set()
        self.after = after

    def settings(self, *, full: bool) -> list[Setting]:
        return [{"gap_s": 0.0}, {"gap_s": 0.001}] if full else [{"gap_s": 0.0}]

    def about(self, subject: Subject, setting: Setting, *, full: bool) -> bool:
        del setting, full
        return subject.family == CONTAINER or subject.name.startswith("process")

    def take(self, subject: Subject, setting: Setting) -> list[Reading]:
        if subject.name in self.failing and self.taken.count(subject.name) >= self.after:
            raise HostError(f"{subject.name} is out of order")
        self.taken.append(subject.name)
        return [Reading(1.0, "s", setting={"more": setting["gap_s"]})]


class Stumbling(Counting):
    """Fails once, at the first attempt."""

    def take(self, subject: Subject, setting: Setting) -> list[Reading]:
        if not self.taken:
            self.taken.append(subject.name)
            raise HostError("once")
        return super().take(subject, setting)


def subjects(*names: str) -> list[Subject]:
    made: list[Subject] = []
    for name in names:
        made.append(Plain(Place()))
        made[-1].name = name
    return made


def measure(cells: list[Cell], path: Path, *, seed: int = 1) -> Results:
    with Writer(path, {}) as writer:
        Schedule(writer, random.Random(seed), Bar()).run(cells, 8, 60.0)
    return read(path)


def test_without_shortage_every_cell_gets_all_samples() -> None:
    assert plan.allot([0.01, 0.5], 30, 10, 60) == [30, 30]


def test_the_dear_cells_give_way_when_time_is_short() -> None:
    counts = plan.allot([0.01, 0.01, 3.0], 30, 10, 60)
    assert counts[:2] == [30, 30]
    assert 10 <= counts[2] < 30
    assert plan.needs([0.01, 0.01, 3.0], counts) <= 60


def test_no_cell_gets_less_than_the_least() -> None:
    assert plan.allot([5.0, 5.0], 30, 10, 1) == [10, 10]
    assert plan.allot([5.0], 3, 10, 1) == [3]


def test_rounds_of_a_rare_cell_are_spread_and_nested() -> None:
    ranks = plan.ranks(30)
    assert sorted(ranks) == list(range(30))
    rare = [number for number, rank in enumerate(ranks) if rank < 10]
    gaps = [later - earlier for earlier, later in pairwise(rare)]
    assert max(gaps) <= 4
    assert set(rare) < {number for number, rank in enumerate(ranks) if rank < 20}


def test_every_round_has_every_cell_once(tmp_path: Path) -> None:
    metric = Counting()
    cells = plan.cells(metric, subjects("process-a", "process-b"), full=True)
    results = measure(cells, tmp_path / "r.jsonl")
    rounds = Counter((s.round, s.subject, s.setting["gap_s"]) for s in results.samples)
    assert len(rounds) == 8 * 2 * 2
    assert set(rounds.values()) == {1}
    assert len(metric.taken) == len(cells) * (8 + WARM_UP)


def test_the_order_is_random_and_follows_from_the_seed(tmp_path: Path) -> None:
    orders = []
    for number, seed in enumerate((1, 1, 2)):
        metric = Counting()
        cells = plan.cells(metric, subjects("process-a", "process-b", "process-c"), full=False)
        measure(cells, tmp_path / f"{number}.jsonl", seed=seed)
        orders.append(metric.taken)
    assert orders[0] == orders[1] != orders[2]
    assert len({tuple(orders[0][at : at + 3]) for at in range(0, len(orders[0]), 3)}) > 1


def test_what_a_reading_adds_to_the_setting_is_in_the_sample(tmp_path: Path) -> None:
    cells = plan.cells(Counting(), subjects("process"), full=False)
    results = measure(cells, tmp_path / "r.jsonl")
    assert results.samples[0].setting == {"gap_s": 0.0, "more": 0.0}


def test_what_fails_once_in_warm_up_is_tried_again_and_named(tmp_path: Path) -> None:
    metric = Stumbling()
    cells = plan.cells(metric, subjects("process"), full=False)
    with Writer(tmp_path / "r.jsonl", {}) as writer:
        schedule = Schedule(writer, random.Random(1), Bar())
        schedule.run(cells, 8, 60.0)
    results = read(tmp_path / "r.jsonl")
    assert (len(results.samples), results.absent) == (8, [])
    assert [(each["round"], each["why"]) for each in schedule.failures] == [(-WARM_UP, "once")]


def test_what_a_quick_run_skips_and_a_full_one_measures_is_absent() -> None:
    (microvm,) = catalog.choose(["microvm"], Place())
    assert plan.left_out(Network(), subjects("process")) == [
        Absent("process", plan.SKIPPED, "network")
    ]
    assert plan.left_out(Network(), [microvm]) == []  # without a network, in no run
    assert plan.left_out(Start(), subjects("process")) == []


def test_what_fails_in_warm_up_is_absent_with_its_reason(tmp_path: Path) -> None:
    metric = Counting(failing={"process-b"})
    cells = plan.cells(metric, subjects("process-a", "process-b"), full=False)
    results = measure(cells, tmp_path / "r.jsonl")
    assert [(a.subject, a.why) for a in results.absent] == [
        ("process-b", "process-b is out of order")
    ]
    assert {sample.subject for sample in results.samples} == {"process-a"}


def test_a_cell_that_keeps_failing_is_given_up_and_every_failure_is_counted(
    tmp_path: Path,
) -> None:
    metric = Counting(failing={"process"}, after=WARM_UP + 1)
    cells = plan.cells(metric, subjects("process"), full=False)
    with Writer(tmp_path / "r.jsonl", {}) as writer:
        schedule = Schedule(writer, random.Random(1), Bar())
        schedule.run(cells, 8, 60.0)
    assert len(schedule.failures) == GIVE_UP
    results = read(tmp_path / "r.jsonl")
    assert len(results.samples) == 1
    assert "times in a row" in results.absent[0].why


def test_a_pair_of_one_subject_is_part_of_every_choice() -> None:
    assert catalog.with_pair(["runc", "step6-none"]) == ["runc", "step6-none", "step6-none-again"]
    assert catalog.with_pair(["runc"]) == ["runc", "runc-again"]
    assert catalog.with_pair(["process", "process-again"]) == ["process", "process-again"]


def test_a_subject_again_is_another_object_of_the_same_kind() -> None:
    first, second = catalog.choose(["step6", "step6-again"], Place())
    assert (first.name, second.name) == ("step6", "step6-again")
    assert type(first) is type(second)
    assert first is not second


def test_an_unknown_subject_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="no subject stepp6: choose among process, step1"):
        catalog.choose(["stepp6"], Place())
