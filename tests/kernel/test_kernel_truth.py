"""Kernel truth: what the tracer saw, where it belongs, and that nothing is left of it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from minirt.errors import HostError
from minirt.linux.mount import make
from minirt.spans import KERNEL
from minirt.telemetry import otlp_file
from minirt.telemetry.kernel import PREFIX, Truth, sweep
from minirt.telemetry.model import Record, Trace

STEP3 = (sys.executable, "-I", "-m", "minirt.step3", "--kernel")


def instances() -> list[str]:
    """Our tracers that exist now."""
    mounted = make("tracefs")
    directory = os.open("instances", os.O_RDONLY, dir_fd=mounted)
    try:
        return [name for name in os.listdir(directory) if name.startswith(PREFIX)]
    finally:
        os.close(directory)
        os.close(mounted)


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    def state() -> tuple[str, list[str]]:
        return Path("/proc/self/mountinfo").read_text(), os.listdir("/proc/self/fd")

    before = state()
    yield
    assert state() == before
    assert instances() == []


def traced(file: Path, *command: str, wrapper: tuple[str, ...] = ()) -> Trace:
    """The trace of one run of step 3 with --kernel."""
    words = [*wrapper, *STEP3, "--quiet", "--trace", str(file), *command]
    subprocess.run(words, check=False, capture_output=True, timeout=60)
    with file.open() as opened:
        (trace,) = otlp_file.read(opened, str(file))
    return trace


def calls_below(trace: Trace, name: str) -> list[Record]:
    (parent,) = [span for span in trace.spans if span.name == name]
    return [span for span in trace.spans if span.parent == parent.span_id]


def check(trace: Trace) -> None:
    """The calls of step 3 are where they were made, within their spans."""
    seen = {
        name: [c.name for c in calls_below(trace, name)] for name in ("uts.enter", "pivot.seal")
    }
    assert seen == {"uts.enter": ["sethostname(2)"], "pivot.seal": ["pivot_root(2)", "umount2(2)"]}
    assert "clone3(2)" in [call.name for call in calls_below(trace, "clone3")]
    assert "fsconfig(2)" in [call.name for call in calls_below(trace, "overlay.enter")]
    assert [call.name for call in calls_below(trace, "exec")] == ["execve(2)"]
    by_id = {span.span_id: span for span in trace.spans}
    for call in (span for span in trace.spans if span.side == KERNEL):
        parent = by_id[call.parent]
        assert parent.start <= call.start <= call.end <= parent.end


def test_each_call_is_below_the_span_that_made_it(tmp_path: Path) -> None:
    trace = traced(tmp_path / "t", "--", "true")
    check(trace)
    (call,) = calls_below(trace, "uts.enter")
    assert call.attributes["minirt.syscall.name"] == "sethostname"
    assert call.attributes["minirt.syscall.ret"] == 0
    root = trace.rows()[0].record
    assert root.attributes["minirt.kernel.source"] == "tracefs"
    assert "minirt.kernel.lost" not in root.attributes


def test_it_is_right_inside_a_pid_namespace_too(tmp_path: Path) -> None:
    wrapper = ("unshare", "--pid", "--fork", "--mount-proc")
    check(traced(tmp_path / "t", "--", "true", wrapper=wrapper))


def test_a_refused_call_has_its_errno_and_is_no_error_of_its_own(tmp_path: Path) -> None:
    trace = traced(tmp_path / "t", "--tmpfs", "/x:nosuchoption=1", "--", "true")
    (refused,) = [s for s in trace.spans if s.attributes.get("minirt.syscall.ret") == -22]
    assert refused.name == "fsconfig(2)"
    assert refused.attributes["minirt.syscall.errno"] == "EINVAL"
    assert not refused.error
    (parent,) = [span for span in trace.spans if span.span_id == refused.parent]
    assert (parent.name, parent.error) == ("mounts.enter", "EINVAL")


def test_the_programs_own_calls_are_not_followed(tmp_path: Path) -> None:
    trace = traced(tmp_path / "t", "--", "sh", "-c", "for i in 1 2 3 4 5 6 7 8; do /bin/true; done")
    assert len(calls_below(trace, "container")) <= 2  # until the runtime has seen the exec


def test_no_descriptor_of_the_tracer_reaches_the_program() -> None:
    ran = subprocess.run(
        [*STEP3, "--quiet", "--", "ls", "/proc/self/fd"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert ran.stdout.split() == ["0", "1", "2", "3"]  # 3 is the directory that ls reads


HELD = """
import sys
from minirt.telemetry.kernel import Truth
truth = Truth()
truth.start()
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_killed_commands_tracer_is_swept_and_a_live_ones_is_not() -> None:
    command = [sys.executable, "-I", "-c", HELD]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as killed, subprocess.Popen(command, **pipes) as live:
        for child in (killed, live):
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert len(instances()) == 2
        sweep()
        (left,) = instances()
        assert left.startswith(f"{PREFIX}{live.pid}-")
        live.kill()
        live.wait()
    with Truth() as next_one:
        next_one.start()
        assert len(instances()) == 1


def test_the_hosts_own_tracing_is_not_touched() -> None:
    def settings() -> list[bytes]:
        mounted = make("tracefs")
        names = ("tracing_on", "set_event", "set_event_pid", "trace_clock", "options/event-fork")
        files = [os.open(name, os.O_RDONLY, dir_fd=mounted) for name in names]
        found = [os.read(fd, 4096) for fd in files]
        for fd in (*files, mounted):
            os.close(fd)
        return found

    before = settings()
    with Truth() as truth:
        truth.start()
        assert settings() == before


def test_without_the_right_it_says_what_to_do() -> None:
    if os.fork() == 0:
        os.setresuid(65534, 65534, 65534)
        try:
            Truth().start()
        except HostError as error:
            os._exit(0 if "run as root" in error.hint else 1)
        os._exit(2)
    assert os.wait()[1] == 0
