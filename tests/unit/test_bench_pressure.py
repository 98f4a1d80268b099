"""When a sample counts as disturbed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import pressure
from bench.pressure import Usual

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """some avg10=60.50 avg60=16.39 avg300=5.30 total=23119415
full avg10=0.00 avg60=0.00 avg300=0.00 total=7
"""


def test_the_total_of_some_is_read_in_seconds() -> None:
    assert pressure.parse(TEXT) == 23.119415


def test_a_kernel_without_psi_is_not_an_error(tmp_path: Path) -> None:
    assert pressure.waited(str(tmp_path / "missing")) is None


def test_a_sample_that_waits_more_than_its_like_is_disturbed() -> None:
    usual = Usual()
    assert [usual.exceeds(0.001, 0.1) for _ in range(6)] == [False] * 6
    assert usual.exceeds(0.02, 0.1)
    assert not usual.exceeds(0.002, 0.1)


def test_a_subject_that_always_waits_for_itself_is_not_disturbed() -> None:
    usual = Usual()
    assert not any(usual.exceeds(0.08, 0.1) for _ in range(10))


def test_a_few_disturbed_samples_do_not_become_what_is_usual() -> None:
    usual = Usual()
    flags = [usual.exceeds(0.09 if number % 3 == 0 else 0.0, 0.1) for number in range(12)]
    assert flags[3::3] == [True] * 3


def test_the_probe_is_a_share() -> None:
    assert 0.0 <= pressure.probe() < 1.0
