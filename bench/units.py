"""Quantities as text, three digits and a unit: 15.3 ms, 2.70 MiB, 412 /s."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from minirt.telemetry.axis import duration

if TYPE_CHECKING:
    from bench.stats import Interval


SMALL = 0.05  # a ratio below is easier to read as a fraction


def quantity(value: float, unit: str) -> str:
    if unit == "s":
        text = duration(round(abs(value) * 1e9))
        return f"-{text}" if value < 0 and text != "0" else text
    if unit in ("bytes", "bytes/s"):
        return _bytes(value) + unit.removeprefix("bytes")
    if unit == "instances":
        return f"{value:.0f}"
    return f"{three(value)} {unit.replace('1/s', '/s')}".strip()


def interval(of: Interval, unit: str) -> str:
    """As in 15.3 [14.9, 16.0] ms; with the reason where there are no bounds."""
    text = quantity(of.value, unit)
    if not of.known:
        return f"{text} (n = {of.n}: no interval)"
    if of.low == of.high:
        return text
    texts = [text, quantity(of.low, unit), quantity(of.high, unit)]
    names = {one.partition(" ")[2] for one in texts}
    if len(names) > 1:
        return f"{texts[0]} [{texts[1]}, {texts[2]}]"
    value, low, high = (one.partition(" ")[0] for one in texts)
    return f"{value} [{low}, {high}] {names.pop()}".rstrip()


def ratio(of: Interval) -> str:
    """As in 1.48 [1.41, 1.55]; of what is far less than 1 as in 1/1950 [1/2010, 1/1890]."""
    if not of.known:
        return f"{multiple(of.value)} (n = {of.n}: no interval)"
    if of.low == of.high:
        return multiple(of.value)
    return f"{multiple(of.value)} [{multiple(of.low)}, {multiple(of.high)}]"


def multiple(value: float) -> str:
    return f"1/{three(1 / value)}" if 0 < value < SMALL else three(value)


def three(value: float) -> str:
    """Three digits, no exponent."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    rounded = float(f"{value:.2e}")  # 0.9996 is 1.00: the digits that count are known after it
    digits = 2 - math.floor(math.log10(abs(rounded)))
    return f"{rounded:.{min(max(digits, 0), 6)}f}"


def _bytes(value: float) -> str:
    for name, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if abs(value) >= size:
            return f"{three(value / size)} {name}"
    return f"{value:.0f} B"
