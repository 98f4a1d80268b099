"""Each mechanism made of a configuration, and describing itself; and the plan of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.micro.conftest import configuration
from minirt import plan
from minirt.spec import Spec

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from minirt.codec import Json
    from minirt.mechanism import Mechanism

PRESENT = [mechanism.name for mechanism in plan.build(Spec(configuration()))]


def build(name: str, spec: Spec) -> Mechanism:
    built = plan.builder(name)(spec)
    assert built is not None
    return built


@pytest.mark.parametrize("name", PRESENT)
def test_build(name: str, spec: Spec, benchmark: BenchmarkFixture) -> None:
    assert benchmark(build, name, spec).name == name


@pytest.mark.parametrize("name", PRESENT)
def test_describe(name: str, spec: Spec, benchmark: BenchmarkFixture) -> None:
    assert benchmark(build(name, spec).describe)


def test_spec(config: dict[str, Json], benchmark: BenchmarkFixture) -> None:
    assert benchmark(Spec, config).process.args == ("true",)


def test_plan(spec: Spec, benchmark: BenchmarkFixture) -> None:
    assert len(benchmark(plan.build, spec)) == len(PRESENT)
