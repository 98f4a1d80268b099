"""When a sample counts as disturbed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bench import pressure, processors
from bench.pressure import Contention

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """some avg10=60.50 avg60=16.39 avg300=5.30 total=23119415
full avg10=0.00 avg60=0.00 avg300=0.00 total=7
"""


def test_the_total_of_some_is_read_in_seconds() -> None:
    assert pressure.parse(TEXT) == 23.119415


def test_a_kernel_without_psi_is_not_an_error(tmp_path: Path) -> None:
    assert pressure.waited(str(tmp_path / "missing")) is None


QUIET = Contention(took_s=0.1, wait_s=0.01, steal_s=0.0, busy_s=0.1, probe=0.01)


def test_a_quiet_sample_is_not_disturbed() -> None:
    assert not QUIET.disturbs()


@pytest.mark.parametrize("met", [{"wait_s": 0.03}, {"probe": 0.2}, {"steal_s": 0.05}], ids=str)
def test_each_bound_by_itself_makes_a_sample_disturbed(met: dict[str, float]) -> None:
    assert replace(QUIET, **met).disturbs()


def test_a_single_tick_of_steal_is_none() -> None:
    assert not replace(QUIET, steal_s=1 / processors.TICKS).disturbs()


def test_what_starts_several_at_once_may_wait_for_itself_but_not_for_a_hypervisor() -> None:
    assert not replace(QUIET, wait_s=0.09).disturbs(crowd=True)
    assert replace(QUIET, steal_s=0.05).disturbs(crowd=True)


def test_a_watch_sees_work_of_its_own_process() -> None:
    watch = pressure.Watch(0.0)
    while watch.contention().took_s < 0.1:
        pass
    met = watch.contention()
    assert met.took_s >= 0.1
    assert met.busy_s > 0
    assert set(met.detail()) == {"steal_s", "system_cpu_s", "probe"}


def test_the_probe_is_a_share() -> None:
    assert 0.0 <= pressure.probe() < 1.0
