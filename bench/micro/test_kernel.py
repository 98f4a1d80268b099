"""The calls behind a start: clone3 of a small process, and the system call filter."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from bench.micro.conftest import LEAST
from minirt.codec import dumps, loads
from minirt.linux.caps import DEFAULT
from minirt.seccomp import compiler, profile

if TYPE_CHECKING:
    import pytest
    from pytest_benchmark.fixture import BenchmarkFixture

    from minirt.codec import Json

# In a process of its own: pytest is large, and a clone copies the tables of all its pages.
CLONES = """
import os
from time import perf_counter_ns
from minirt.linux.clone import clone3, wait
taken = []
for _ in range(100):
    before = perf_counter_ns()
    pid, pidfd = clone3(0)
    if pid == 0:
        os._exit(0)
    taken.append(perf_counter_ns() - before)
    wait(pidfd)
    os.close(pidfd)
print(*taken)
"""


def test_interpreter_and_a_hundred_clones(
    benchmark: BenchmarkFixture, pytestconfig: pytest.Config
) -> None:
    """Of the clones themselves the summary tells the least."""

    def clones() -> list[int]:
        command = [sys.executable, "-I", "-c", CLONES]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found = [int(word) for word in done.stdout.split()]
        pytestconfig.stash[LEAST] = min(*found, pytestconfig.stash.get(LEAST, found[0]))
        return found

    taken = benchmark.pedantic(clones, rounds=3)
    assert len(taken) == 100


def test_profile(benchmark: BenchmarkFixture) -> None:
    assert benchmark(profile.default, DEFAULT)["syscalls"]


def test_seccomp_compile(benchmark: BenchmarkFixture) -> None:
    resolved = profile.default(DEFAULT)
    assert benchmark(compiler.compile_profile, resolved)


def test_json(config: dict[str, Json], benchmark: BenchmarkFixture) -> None:
    assert benchmark(loads, dumps(config)) == config
