"""Medians, ratios and differences of medians, each with a bootstrap 95 % interval.

A point comes from all samples. For intervals, blocks of successive rounds are resampled (moving
blocks, the series taken as a ring), since a busy minute spans several rounds. Two series of the
same rounds are resampled in the same rounds, so both medians move together where the machine was
slow for both; otherwise each is resampled for itself. The generator's seed is fixed by the caller:
the same samples give the same report. No distribution is assumed, and bounds are not adjusted for
how many intervals a report has.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Values = NDArray[np.float64]
    Combine = Callable[[Values, Values], Values]  # a ufunc of two arguments

LEVEL = 0.95
RESAMPLES = 10_000
SEED = 1
# Of five samples, even the least and the greatest enclose the median in only 94 of 100 cases.
FEWEST = 6
# With fewer, the 95th percentile is one of the five greatest: it says what the maximum says.
FEWEST_OF_TAIL = 100

Series = list[tuple[int, float]]  # (round, value)

# Units of which more is better; of all others ("s", "bytes") less is.
RATES = frozenset({"1/s", "bytes/s", "calls/s", "instances"})


@dataclass(frozen=True)
class Interval:
    """An estimate; `low` and `high` are infinite when there were too few samples for them."""

    value: float
    low: float
    high: float
    n: int
    paired: bool = False

    @property
    def known(self) -> bool:
        return math.isfinite(self.low) and math.isfinite(self.high)

    def contains(self, value: float) -> bool:
        return self.low <= value <= self.high

    def inverse(self) -> Interval:
        """Of a ratio, the ratio the other way round."""
        low = 1 / self.high if self.high > 0 else math.inf
        high = 1 / self.low if self.low > 0 else math.inf
        return Interval(1 / self.value, low, high, self.n, self.paired)


def more_is_better(unit: str) -> bool:
    return unit in RATES


def values(series: Series) -> list[float]:
    return [value for _, value in series]


def tail(series: Series) -> tuple[str, float]:
    """The 95th percentile by name where there are samples enough for one, else the greatest."""
    taken = np.array(values(series))
    if len(taken) < FEWEST_OF_TAIL:
        return "max", float(taken.max())
    return "p95", float(np.quantile(taken, 0.95))


def lag1(series: Series) -> float | None:
    """The rank correlation of each round with the next; None where there is none to tell."""
    taken = np.array(values(sorted(series)))
    if len(taken) < FEWEST:
        return None
    before, after = (np.argsort(np.argsort(part)) for part in (taken[:-1], taken[1:]))
    return None if np.ptp(taken) == 0 else float(np.corrcoef(before, after)[0, 1])


def median(series: Series, seed: int = SEED) -> Interval:
    """The median of a series; ValueError when it is empty."""
    if not series:
        raise ValueError("no samples: there is no median")
    taken = np.array(values(sorted(series)))
    point = float(np.median(taken))
    if len(taken) < FEWEST:
        return _unknown(point, len(taken))
    drawn = _medians(taken, _draw(len(taken), np.random.default_rng(seed)))
    return Interval(point, *_bounds(drawn), len(taken))


def ratio(a: Series, b: Series, seed: int = SEED, *, pair: bool = True) -> Interval:
    """The median of `a` over that of `b`; ValueError when not all values are positive."""
    _require_positive(a, b)
    return _compare(a, b, np.divide, seed, pair=pair)


def difference(a: Series, b: Series, seed: int = SEED, *, pair: bool = True) -> Interval:
    """The median of `a` less that of `b`; ValueError when either is empty."""
    if not a or not b:
        raise ValueError("no difference: a series is empty")
    return _compare(a, b, np.subtract, seed, pair=pair)


def exactly(a: Series, b: Series) -> Interval:
    """The ratio of two things that are counted, not sampled, such as the sizes of files."""
    _require_positive(a, b)
    value = float(np.median(values(a)) / np.median(values(b)))
    return Interval(value, value, value, min(len(a), len(b)))


def paired(a: Series, b: Series) -> bool:
    """Whether both have the same rounds, each once."""
    first, second = [r for r, _ in sorted(a)], [r for r, _ in sorted(b)]
    return first == second and len(set(first)) == len(first)


def _require_positive(a: Series, b: Series) -> None:
    if not a or not b or min(values(a)) <= 0 or min(values(b)) <= 0:
        raise ValueError("no ratio: a series is empty, or not all of its values are positive")


def _compare(a: Series, b: Series, combine: Combine, seed: int, *, pair: bool) -> Interval:
    rng = np.random.default_rng(seed)
    first, second = (np.array(values(sorted(series))) for series in (a, b))
    point = combine(np.median(first, keepdims=True), np.median(second, keepdims=True)).item()
    fewest = min(len(first), len(second))
    if fewest < FEWEST:
        return _unknown(point, fewest)
    both = pair and paired(a, b)
    rows = _draw(len(first), rng)
    others = rows if both else _draw(len(second), rng)
    drawn = combine(_medians(first, rows), _medians(second, others))
    return Interval(point, *_bounds(drawn), fewest, paired=both)


def _unknown(point: float, n: int) -> Interval:
    return Interval(point, -math.inf, math.inf, n)


def _draw(n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Positions in a series of `n`, a row for each resample: blocks that begin anywhere."""
    length = block(n)
    blocks = math.ceil(n / length)
    begins = rng.integers(0, n, size=(RESAMPLES, blocks, 1))
    return ((begins + np.arange(length)) % n).reshape(RESAMPLES, -1)[:, :n]


def block(n: int) -> int:
    """Rounds in a block, of the order of the cube root, which is usual: 4 of 30, 2 of 6."""
    return next(length for length in itertools.count(1) if length**3 >= n)


def _medians(taken: Values, rows: NDArray[np.int64]) -> Values:
    ranked = np.sort(taken[rows], axis=1)  # several times as fast as np.median
    middle = rows.shape[1] // 2
    return (ranked[:, middle] + ranked[:, -middle - 1]) / 2


def _bounds(drawn: Values) -> tuple[float, float]:
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def alike(once: Series, again: Series, seed: int = SEED) -> tuple[Interval, bool]:
    """The A/A check: the ratio of a subject to itself, and whether its interval holds 1.

    About one in twenty does not, by the nature of a 95 % interval. More would mean that the
    method makes differences where there are none.
    """
    found = ratio(again, once, seed)
    return found, found.contains(1)
