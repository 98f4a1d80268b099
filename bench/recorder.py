"""What a span costs while a container is made, and what its trace costs afterwards.

    python bench/recorder.py

Each figure is the least of several rounds, since other processes only ever add to it. "After"
means after the container has ended or runs: nothing of that is in its way.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from time import perf_counter_ns
from typing import TYPE_CHECKING

from minirt import telemetry
from minirt.spans import Page, Recorder

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS, SPANS = 20, 2000


def least(work: Callable[[], None], rounds: int = ROUNDS) -> int:
    """The shortest of several rounds of `work`, in ns."""
    durations = []
    for _ in range(rounds):
        before = perf_counter_ns()
        work()
        durations.append(perf_counter_ns() - before)
    return min(durations)


def recorder_span() -> float:
    """One span opened and closed by the recorder, in µs."""

    def work() -> None:
        recorder = Recorder()
        for _ in range(SPANS):
            with recorder.span("uts.enter"):
                pass

    return least(work) / SPANS / 1000


def page_slot(path: str) -> float:
    """One slot of the shared page stamped at its beginning and end, in µs."""
    page = Page(path, create=True)
    page.reserve("uts.enter", bytes(8))

    def work() -> None:
        for _ in range(SPANS):
            page.begin("uts.enter")
            page.end("uts.enter")

    return least(work) / SPANS / 1000


def of_thirty() -> Recorder:
    """The trace of an ordinary run: 30 spans."""
    recorder = Recorder()
    with recorder.span("minirt run"):
        for _ in range(29):
            with recorder.span("uts.enter") as span:
                span.set("process.pid", os.getpid())
    return recorder


def file_line(path: str) -> float:
    """A trace of 30 spans appended to a file, in µs."""
    recorder = of_thirty()
    return least(lambda: telemetry.finish(recorder, file=path)) / 1000


def detached_sender() -> float:
    """The same, handed to the process that sends it to a collector that is not there, in µs."""
    recorder = of_thirty()
    os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:9"
    try:
        return least(lambda: telemetry.finish(recorder), rounds=5) / 1000
    finally:
        del os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]


def import_of(module: str) -> float:
    """What importing `module` adds to an empty interpreter, in ms."""

    def start(code: str) -> Callable[[], None]:
        return lambda: void(subprocess.run([sys.executable, "-I", "-c", code], check=True))

    def void(_: object) -> None:
        pass

    return (least(start(f"import {module}"), 10) - least(start("pass"), 10)) / 1e6


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        rows = [
            ("one span of the recorder", recorder_span(), "µs"),
            ("one slot of init's page", page_slot(f"{directory}/page"), "µs"),
            ("after: 30 spans to a file", file_line(f"{directory}/t.jsonl"), "µs"),
            ("import minirt.spans", import_of("minirt.spans"), "ms"),
            ("import minirt.telemetry", import_of("minirt.telemetry"), "ms"),
            ("import opentelemetry.sdk.trace", import_of("opentelemetry.sdk.trace"), "ms"),
            ("import minirt.telemetry.replay", import_of("minirt.telemetry.replay"), "ms"),
            (
                "import the OTLP exporter",
                import_of("opentelemetry.exporter.otlp.proto.http.trace_exporter"),
                "ms",
            ),
            # Last, because the senders go on for two seconds.
            ("after: 30 spans to the sender", detached_sender(), "µs"),
        ]
    print(f"{os.uname().release}, Python {sys.version.split()[0]}, {time.strftime('%Y-%m-%d')}")
    for what, value, unit in rows:
        print(f"{what:<34} {value:8.2f} {unit}")


if __name__ == "__main__":
    main()
