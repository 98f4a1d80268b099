"""The intervals of the benchmarks hold what they promise, and cost what they may."""

from __future__ import annotations

import math
import statistics
from time import process_time

import numpy as np
import pytest

from bench import stats, units

PAIRS = 200


def generator(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def skewed(rng: np.random.Generator, n: int, scale: float = 1.0) -> list[float]:
    """Times as they are: never below a floor, with a long tail."""
    return [scale * (1 + rng.lognormal(-2, 0.8)) for _ in range(n)]


def rounds(values: list[float]) -> stats.Series:
    return list(enumerate(values))


@pytest.mark.parametrize("n", [10, 30])
@pytest.mark.parametrize("paired", [True, False])
def test_nine_of_ten_intervals_of_an_aa_pair_hold_one(n: int, *, paired: bool) -> None:
    rng = generator(n)
    held = 0
    for seed in range(PAIRS):
        noise = skewed(rng, n) if paired else [1.0] * n  # what a round has in common
        once, again = (
            rounds([a * b for a, b in zip(skewed(rng, n), noise, strict=True)]) for _ in range(2)
        )
        if not paired:
            again = [(r + n, v) for r, v in again]
        found, alike = stats.alike(once, again, seed)
        assert found.paired is paired
        held += alike
    assert held >= 0.9 * PAIRS


def test_nineteen_of_twenty_intervals_hold_the_true_ratio() -> None:
    rng = generator(5)
    held = 0
    for seed in range(PAIRS):
        found = stats.ratio(rounds(skewed(rng, 30, 1.3)), rounds(skewed(rng, 30)), seed)
        held += found.contains(1.3)
    assert held >= 0.9 * PAIRS


def autocorrelated(rng: np.random.Generator, n: int, phi: float = 0.5) -> list[float]:
    """Times on a machine that stays busy for a while: an AR(1) process of their logarithms."""
    level, found = rng.normal(0, 0.2 / math.sqrt(1 - phi**2)), []
    for _ in range(n):
        found.append(math.exp(level))
        level = phi * level + rng.normal(0, 0.2)
    return found


def test_blocks_hold_more_often_than_single_rounds_where_rounds_depend_on_one_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = {}
    for length in ("blocks", "single"):
        rng = generator(11)
        if length == "single":
            monkeypatch.setattr(stats, "block", lambda _: 1)
        held[length] = sum(
            stats.median(rounds(autocorrelated(rng, 30)), seed).contains(1) for seed in range(PAIRS)
        )
    assert held["blocks"] >= 0.83 * PAIRS  # not 95 %: blocks see a part of the dependence only
    assert held["blocks"] > held["single"]


def test_the_correlation_of_rounds_is_that_of_the_process() -> None:
    dependent = stats.lag1(rounds(autocorrelated(generator(12), 2000, 0.5)))
    independent = stats.lag1(rounds(skewed(generator(12), 2000)))
    assert dependent == pytest.approx(0.48, abs=0.06)  # of ranks, a little less than phi
    assert independent == pytest.approx(0, abs=0.06)
    assert stats.lag1(rounds([1.0] * 30)) is None
    assert stats.lag1(rounds([1.0, 2.0])) is None


def test_the_point_of_a_ratio_is_that_of_the_medians_of_all_samples() -> None:
    many, few = rounds([float(v) for v in range(1, 31)]), rounds([2.0] * 10)
    found = stats.ratio(many, few)
    assert found.value == stats.median(many).value / 2
    assert not found.paired


def test_a_difference_of_ten_percent_is_seen() -> None:
    rng = generator(6)
    seen = 0
    for seed in range(50):
        a = rounds([1.1 * rng.normal(1, 0.03) for _ in range(30)])
        b = rounds([rng.normal(1, 0.03) for _ in range(30)])
        seen += stats.ratio(a, b, seed).low > 1
    assert seen >= 48


def test_rounds_resampled_as_pairs_narrow_an_interval_where_both_are_slow_together() -> None:
    rng = generator(7)
    noise = [rng.lognormal(0, 0.5) for _ in range(30)]
    a = rounds([2 * n * rng.normal(1, 0.01) for n in noise])
    b = rounds([n * rng.normal(1, 0.01) for n in noise])
    paired = stats.ratio(a, b)
    unpaired = stats.ratio(a, b, pair=False)
    assert paired.contains(2)
    assert (paired.high - paired.low) < (unpaired.high - unpaired.low) / 4


def test_the_same_samples_give_the_same_interval() -> None:
    series = rounds(skewed(generator(8), 30))
    other = rounds(skewed(generator(9), 30))
    assert stats.median(series) == stats.median(series)
    assert stats.ratio(series, other, seed=2) == stats.ratio(series, other, seed=2)
    assert stats.ratio(series, other, seed=2) != stats.ratio(series, other, seed=3)


def test_median_and_p95_are_those_of_the_standard_library() -> None:
    values = skewed(generator(9), 121)
    assert stats.median(rounds(values)).value == statistics.median(values)
    expected = statistics.quantiles(values, n=20, method="inclusive")[-1]
    name, value = stats.tail(rounds(values))
    assert name == "p95"
    assert value == pytest.approx(expected)


def test_below_a_hundred_samples_the_tail_is_the_maximum() -> None:
    assert stats.tail(rounds([float(v) for v in range(99)])) == ("max", 98.0)


def test_few_samples_have_no_interval_and_exclude_nothing() -> None:
    few = stats.ratio(rounds([9.0] * 5), rounds([1.0] * 5))
    assert not few.known
    assert few.contains(1)
    assert stats.ratio(rounds([9.0] * 6), rounds([1.0] * 6)).low == 9


def test_rounds_that_only_one_has_do_not_make_pairs() -> None:
    a, b = rounds([2.0] * 30), [(100 + r, 1.0) for r in range(30)]
    assert not stats.ratio(a, b).paired
    assert stats.ratio(a, rounds([1.0] * 10)).n == 10


@pytest.mark.parametrize("b", [[], [0.0, 1.0], [-1.0]])
def test_a_ratio_to_nothing_is_refused(b: list[float]) -> None:
    with pytest.raises(ValueError, match="no ratio"):
        stats.ratio(rounds([1.0]), rounds(b))


def test_a_ratio_turned_round_has_its_bounds_turned_round() -> None:
    turned = stats.Interval(2, 1.6, 2.5, 30).inverse()
    assert (turned.value, turned.low, turned.high) == (0.5, 0.4, 0.625)
    assert not stats.Interval(2, -math.inf, math.inf, 3).inverse().known


def test_ten_thousand_resamples_take_well_below_a_second() -> None:
    series = rounds(skewed(generator(10), 30))
    began = process_time()
    stats.ratio(series, series)
    assert process_time() - began < 1


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.01534, "s", "15.3 ms"), (-0.0002, "s", "-200 µs"), (2831155, "bytes", "2.70 MiB"),
        (512, "bytes", "512 B"), (2e9, "bytes/s", "1.86 GiB/s"), (412.3, "1/s", "412 /s"),
        (14.0, "instances", "14"), (0.0, "s", "0"), (1234567, "calls/s", "1230000 calls/s"),
    ],
)  # fmt: skip
def test_a_quantity_has_three_digits_and_a_unit(value: float, unit: str, text: str) -> None:
    assert units.quantity(value, unit) == text


def test_a_ratio_is_rounded_once() -> None:
    assert [units.three(v) for v in (0.9996, 0.000412, 99.96)] == ["1.00", "0.000412", "100"]


def test_an_interval_names_its_unit_once_where_it_is_one() -> None:
    assert units.interval(stats.Interval(0.015, 0.0149, 0.016, 9), "s") == "15.0 [14.9, 16.0] ms"
    mixed = units.interval(stats.Interval(0.001, 0.0009, 0.0012, 9), "s")
    assert mixed == "1.00 ms [900 µs, 1.20 ms]"


def test_a_ratio_far_below_one_is_a_fraction() -> None:
    tiny = stats.Interval(0.000514, 0.0005, 0.00053, 30)
    assert units.ratio(tiny) == "1/1950 [1/2000, 1/1890]"
    assert units.multiple(0.5) == "0.500"
    assert units.multiple(0) == "0"
