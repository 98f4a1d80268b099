"""The calls behind a start: clone3 of a small process, and the system call filter."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from minirt.codec import dumps, loads
from minirt.linux.caps import DEFAULT
from minirt.seccomp import compiler, profile

if TYPE_CHECKING:
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


def test_clone3(benchmark: BenchmarkFixture) -> None:
    """A hundred of them, in a small interpreter; `extra_info` has the least, in ns."""

    def clones() -> list[int]:
        command = [sys.executable, "-I", "-c", CLONES]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return [int(word) for word in done.stdout.split()]

    taken = benchmark.pedantic(clones, rounds=3)
    benchmark.extra_info["least_ns"] = min(taken)
    assert len(taken) == 100


def test_profile(benchmark: BenchmarkFixture) -> None:
    assert benchmark(profile.default, DEFAULT)["syscalls"]


def test_seccomp_compile(benchmark: BenchmarkFixture) -> None:
    resolved = profile.default(DEFAULT)
    assert benchmark(compiler.compile_profile, resolved)


def test_json(config: dict[str, Json], benchmark: BenchmarkFixture) -> None:
    assert benchmark(loads, dumps(config)) == config
