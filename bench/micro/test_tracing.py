"""What a span costs while a container is made, and what its trace costs afterwards.

"Afterwards" means when the container has ended or runs: nothing of that is in its way.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from minirt import telemetry
from minirt.spans import Page, Recorder

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

MODULES = (
    "sys",  # nothing: an interpreter alone
    "minirt.spans",
    "minirt.telemetry",
    "opentelemetry.sdk.trace",
    "minirt.telemetry.replay",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
)


def of_thirty() -> Recorder:
    """The trace of an ordinary run: 30 spans."""
    recorder = Recorder()
    with recorder.span("minirt run"):
        for _ in range(29):
            with recorder.span("uts.enter") as span:
                span.set("process.pid", os.getpid())
    return recorder


def test_recorder_span(benchmark: BenchmarkFixture) -> None:
    def span() -> None:
        with recorder.span("uts.enter"):
            pass

    recorder = Recorder()
    benchmark.pedantic(span, rounds=2000, warmup_rounds=100)
    assert len(recorder.spans) == 2100


def test_page_slot(tmp_path: Path, benchmark: BenchmarkFixture) -> None:
    page = Page(str(tmp_path / "page"), create=True)
    page.reserve("uts.enter", bytes(8))

    def slot() -> None:
        page.begin("uts.enter")
        page.end("uts.enter")

    benchmark(slot)
    recorder = Recorder()
    page.collect(recorder)
    page.close()
    assert [span.name for span in recorder.spans] == ["uts.enter"]


def test_thirty_spans_to_a_file(tmp_path: Path, benchmark: BenchmarkFixture) -> None:
    file = tmp_path / "trace.jsonl"
    recorder = of_thirty()
    benchmark.pedantic(telemetry.finish, (recorder,), {"file": str(file)}, rounds=200)
    assert len(file.read_text(encoding="utf-8").splitlines()) == 200


def test_thirty_spans_to_the_sender(
    monkeypatch: pytest.MonkeyPatch, benchmark: BenchmarkFixture
) -> None:
    """Handed to the process that sends them to a collector, which is not there."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    benchmark.pedantic(telemetry.finish, (of_thirty(),), rounds=5)


@pytest.mark.parametrize("module", MODULES)
def test_import(module: str, benchmark: BenchmarkFixture) -> None:
    """A whole interpreter that imports `module`."""
    command = [sys.executable, "-I", "-c", f"import {module}"]
    done = benchmark.pedantic(subprocess.run, (command,), rounds=10, warmup_rounds=1)
    assert done.returncode == 0
