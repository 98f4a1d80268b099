"""events: statistics in runc's layout, and want of memory as it happens."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from oci import PROGRAM, Runtime
from oci_cgroups import Groups

from minirt.oci.verbs.events import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIB = 1 << 20
DATA = {
    "cpu", "cpuset", "memory", "pids", "blkio", "hugetlb", "intel_rdt", "network_interfaces",
}  # fmt: skip


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    made = Runtime(tmp_path, "sh", "-c", "while :; do :; done")
    made.config["linux"]["resources"] = {"memory": {"limit": 64 * MIB}, "pids": {"limit": 20}}
    yield made
    made.must("delete", "--force", "c1")


def running(runtime: Runtime, tmp_path: Path) -> int:
    pid = runtime.create("c1", tmp_path / "output")
    runtime.must("start", "c1")
    return pid


def stats(runtime: Runtime) -> dict[str, Any]:
    event = json.loads(runtime.must("events", "--stats", "c1"))
    assert (event["type"], event["id"]) == ("stats", "c1")
    data: dict[str, Any] = event["data"]
    return data


def test_statistics_have_the_layout_of_runc(runtime: Runtime, tmp_path: Path) -> None:
    groups = Groups(running(runtime, tmp_path))
    data = stats(runtime)
    assert set(data) == DATA
    assert data["memory"]["usage"]["limit"] == 64 * MIB
    assert 0 < data["memory"]["usage"]["usage"] < 64 * MIB
    assert set(data["memory"]) == {"cache", "usage", "swap", "kernel", "kernelTCP", "raw"}
    assert data["memory"]["raw"]["pgfault"] > 0
    assert data["pids"] == {"current": 1, "limit": 20}
    assert data["cpuset"]["cpus"] == sorted(os.sched_getaffinity(0))
    if groups.version("cpu") == 1:
        assert len(data["cpu"]["usage"]["percpu"]) >= len(data["cpuset"]["cpus"])


def test_processor_time_is_in_nanoseconds_and_grows(runtime: Runtime, tmp_path: Path) -> None:
    running(runtime, tmp_path)
    first = stats(runtime)["cpu"]["usage"]["total"]
    second = stats(runtime)["cpu"]["usage"]["total"]
    assert 0 < first < second


def follow(runtime: Runtime, *options: str) -> subprocess.Popen[str]:
    words = [*PROGRAM, "--root", str(runtime.root), "events", *options, "c1"]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def test_statistics_come_at_intervals_until_it_ends(runtime: Runtime, tmp_path: Path) -> None:
    running(runtime, tmp_path)
    with follow(runtime, "--interval", "20ms") as events:
        assert events.stdout is not None
        for _ in range(3):
            assert json.loads(events.stdout.readline())["type"] == "stats"
        runtime.must("kill", "c1", "9")
        events.communicate(timeout=10)
        assert events.returncode == 0


def test_want_of_memory_is_told_when_it_happens(runtime: Runtime, tmp_path: Path) -> None:
    """In the words of the issue of engines: {"type": "oom"}."""
    go = runtime.bundle / "rootfs" / "go"
    os.mkfifo(go)
    script = "read line < /go; tail /dev/zero; exec sleep 60"
    runtime.config["process"]["args"] = ["sh", "-c", script]
    runtime.config["linux"]["resources"]["memory"] = {"limit": 16 * MIB, "swap": 16 * MIB}
    running(runtime, tmp_path)
    with follow(runtime, "--interval", "100ms") as events:
        assert events.stdout is not None
        assert json.loads(events.stdout.readline())["type"] == "stats"  # it listens by now
        go.write_text("\n")
        kinds = [json.loads(events.stdout.readline())["type"]]
        while kinds[-1] != "oom" and len(kinds) < 100:
            kinds.append(json.loads(events.stdout.readline())["type"])
        assert kinds[-1] == "oom"
        runtime.must("kill", "c1", "9")
        events.communicate(timeout=10)


def test_what_is_gone_has_no_events(runtime: Runtime, tmp_path: Path) -> None:
    running(runtime, tmp_path)
    runtime.must("delete", "--force", "c1")
    assert "does not exist" in runtime.call("events", "c1").stderr
    assert runtime.call("events", "--interval", "0", "c1").returncode == 1


@pytest.mark.parametrize(("text", "s"), [("5s", 5), ("500ms", 0.5), ("1m30s", 90), ("1.5h", 5400)])
def test_durations_are_written_as_in_go(text: str, s: float) -> None:
    assert seconds(text) == s
