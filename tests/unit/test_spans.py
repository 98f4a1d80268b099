"""The recorder: a tree of plain records, W3C trace context, and the page init stamps."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Never

import pytest

from minirt import traceparent
from minirt.errors import KernelError
from minirt.spans import NO_PARENT, SLOTS, Page, Recorder, Span, clock_anchor

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
VALID = f"00-{TRACE}-{SPAN}-01"


def test_a_span_opens_below_the_innermost_open_one() -> None:
    recorder = Recorder()
    with recorder.span("minirt run") as root, recorder.span("uts.enter") as inner:
        assert inner.parent == root.span_id
    with recorder.span("after") as after:
        assert after.parent == NO_PARENT
    assert root.start <= inner.start <= inner.end <= root.end


def test_an_exception_ends_every_open_span_as_failed() -> Never:
    recorder = Recorder()
    error = KernelError("x", call='mount("/home/me/secret", MS_BIND)', errno=1)
    with pytest.raises(KernelError), recorder.span("outer"), recorder.span("inner"):
        raise error
    assert [(span.error, span.message) for span in recorder.spans] == [
        ("EPERM", "mount: EPERM")
    ] * 2
    assert all(span.end for span in recorder.spans)


def test_an_unknown_exception_leaves_its_class_and_not_its_text() -> Never:
    recorder = Recorder()
    with pytest.raises(ValueError, match="secret"), recorder.span("x"):
        raise ValueError("secret")
    assert (recorder.spans[0].error, recorder.spans[0].message) == ("ValueError", "ValueError")


def test_a_valid_traceparent_is_joined_and_passed_on() -> None:
    recorder = Recorder(VALID, "vendor=1")
    assert (recorder.trace_id.hex(), recorder.tracestate) == (TRACE, "vendor=1")
    with recorder.span("minirt run") as root:
        assert root.parent.hex() == SPAN
        assert recorder.traceparent() == f"00-{TRACE}-{root.span_id.hex()}-01"


def test_an_unsampled_trace_stays_unsampled() -> None:
    recorder = Recorder(f"00-{TRACE}-{SPAN}-00")
    assert not recorder.sampled
    assert recorder.traceparent().endswith("-00")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE[:-1]} -{SPAN}-01",
        f"00-{TRACE}-{SPAN}-+1",
    ],
)
def test_an_invalid_traceparent_starts_a_new_trace(text: str) -> None:
    recorder = Recorder(text, "vendor=1")
    assert recorder.trace_id.hex() != TRACE
    assert (recorder.parent, recorder.sampled, recorder.tracestate) == (NO_PARENT, True, "")


def test_a_later_version_of_traceparent_may_have_more_fields() -> None:
    context = traceparent.parse(f"01-{TRACE}-{SPAN}-01-more")
    assert context is not None
    assert context[0].hex() == TRACE


def test_the_clock_anchor_is_one_moment_on_both_clocks() -> None:
    monotonic, wall = clock_anchor()
    difference = (time.time_ns() - wall) - (time.monotonic_ns() - monotonic)
    assert abs(difference) < 100_000_000


def _page(tmp_path: Path, *names: str) -> tuple[Recorder, Page, Span]:
    recorder = Recorder()
    page = Page(str(tmp_path / "spans"), create=True)
    with recorder.span("minirt run") as root:
        for name in names:
            page.reserve(name, root.span_id)
    return recorder, page, root


def test_what_a_child_stamps_becomes_spans_of_the_container(tmp_path: Path) -> None:
    recorder, page, root = _page(tmp_path, "uts.enter", "pivot.seal")
    child = os.fork()
    if child == 0:
        page.begin("uts.enter")
        page.end("uts.enter")
        os._exit(0)
    os.waitpid(child, 0)
    page.collect(recorder)
    span = recorder.spans[1]
    assert len(recorder.spans) == 2  # what was never begun is not there
    assert (span.name, span.side, span.parent) == ("uts.enter", "container", root.span_id)
    assert root.start < span.start <= span.end
    assert not span.error


def test_a_child_killed_in_the_middle_leaves_an_error_span(tmp_path: Path) -> None:
    recorder, page, _ = _page(tmp_path, "uts.enter", "overlay.enter")
    ready, write = os.pipe()
    child = os.fork()
    if child == 0:
        page.begin("uts.enter")
        page.end("uts.enter")
        page.begin("overlay.enter")
        os.write(write, b"x")
        time.sleep(60)
        os._exit(0)
    os.read(ready, 1)
    page.collect(recorder)
    assert [span.name for span in recorder.spans] == ["minirt run", "uts.enter"]
    os.kill(child, 9)
    os.waitpid(child, 0)
    died_at = time.monotonic_ns()
    Page(str(tmp_path / "spans")).collect(recorder, died_at=died_at)  # as a post-mortem does
    last = recorder.spans[-1]
    assert [span.name for span in recorder.spans] == ["minirt run", "uts.enter", "overlay.enter"]
    assert (last.error, last.end) == ("InitDied", died_at)


def test_a_failed_call_of_the_child_has_its_errno(tmp_path: Path) -> None:
    recorder, page, _ = _page(tmp_path, "a.enter", "b.enter")
    for name, errno in (("a.enter", 2), ("b.enter", -1)):
        page.begin(name)
        page.end(name, errno)
    page.collect(recorder)
    assert [span.error for span in recorder.spans[1:]] == ["ENOENT", "MinirtError"]


def test_stamps_made_in_a_time_namespace_are_moved_to_the_hosts_clock(tmp_path: Path) -> None:
    recorder, page, root = _page(tmp_path, "uts.enter")
    page.ahead = 3600 * 10**9
    page.begin("uts.enter")
    page.end("uts.enter")
    page.collect(recorder)
    hour = 3600 * 10**9
    assert abs(recorder.spans[1].start + hour - root.start) < 10**9


def test_a_name_reserved_twice_has_one_slot(tmp_path: Path) -> None:
    recorder, page, _ = _page(tmp_path, "a.enter", "a.enter", "b.enter")
    for name in ("a.enter", "b.enter"):
        page.begin(name)
        page.end(name)
    page.collect(recorder)
    assert [span.name for span in recorder.spans[1:]] == ["a.enter", "b.enter"]


def test_more_names_than_slots_are_refused_before_the_clone(tmp_path: Path) -> None:
    _, page, root = _page(tmp_path, *[f"m{number}.enter" for number in range(SLOTS)])
    with pytest.raises(Exception, match="buffer"):
        page.reserve("one.more", root.span_id)


def test_the_page_is_private_and_holds_no_descriptor(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    page = Page(str(tmp_path / "spans"), create=True)
    assert (tmp_path / "spans").stat().st_mode & 0o777 == 0o600
    # mmap keeps a close-on-exec duplicate at most.
    assert len(os.listdir("/proc/self/fd")) - before <= 1
    page.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_sink_hears_of_every_start_and_end(tmp_path: Path) -> None:
    recorder = Recorder()
    heard = []
    recorder.sink = lambda moment, span: heard.append((moment, span.name))
    page = Page(str(tmp_path / "spans"), create=True)
    with recorder.span("clone3") as span:
        page.reserve("exec", span.span_id)
    page.begin("exec")
    page.end("exec")
    page.collect(recorder)
    assert heard == [("start", "clone3"), ("end", "clone3"), ("end", "exec")]


def test_the_recorder_imports_nothing_that_is_slow() -> None:
    code = "import sys, minirt.spans; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    slow = {"opentelemetry", "json", "typing", "dataclasses", "socket", "subprocess", "re", "enum"}
    bare = subprocess.run(
        [sys.executable, "-I", "-c", "import sys; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert not slow & (set(loaded) - set(bare))
