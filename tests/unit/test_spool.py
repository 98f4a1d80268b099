"""Where the traces of engines' containers are kept, and how one is found and put together."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import sample

from minirt.errors import MinirtError
from minirt.telemetry import life, otlp_file, spool
from minirt.telemetry.axis import Axis
from minirt.telemetry.model import Record, Trace

if TYPE_CHECKING:
    from pathlib import Path

SPAN = "00f067aa0ba902b7"
SECOND = 10**9


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The spool of this test alone."""
    made = tmp_path / "traces"
    monkeypatch.setattr(spool, "directory", lambda: str(made))
    return made


def kept(container_id: str, age: int, trace: Trace | None = None) -> str:
    """A trace in the spool, written `age` seconds ago."""
    path = spool.new(container_id, f"{age:016x}")
    otlp_file.append(path, trace or sample.trace())
    written = os.stat(path).st_mtime_ns - age * SECOND
    os.utime(path, ns=(written, written))
    return path


def test_only_the_newest_are_kept(place: Path) -> None:
    paths = [kept(f"c{age}", age) for age in range(spool.KEPT + 5, 0, -1)]
    assert len(list(place.iterdir())) == spool.KEPT
    assert [os.path.exists(path) for path in paths[:6]] == [False] * 5 + [True]
    assert place.stat().st_mode & 0o777 == 0o700


def test_what_repeats_itself_ends_and_the_end_finds_room(place: Path) -> None:
    path = spool.new("c", SPAN)
    for size, repeated, last in ((0, True, True), (spool.ROOM, False, True),
                                 (spool.ROOM + spool.SPARE, False, False)):  # fmt: skip
        with open(path, "wb") as file:
            file.truncate(size)
        assert spool.has_room(path, last=False) is repeated
        assert spool.has_room(path, last=True) is last


def test_a_directory_that_another_could_write_is_refused(place: Path) -> None:
    place.mkdir()
    place.chmod(0o777)
    with pytest.raises(MinirtError, match="another user"):
        spool.new("c", SPAN)


def test_it_is_removed_whole(place: Path) -> None:
    assert spool.remove_all() == 0
    kept("a", 2)
    kept("b", 1)
    assert spool.remove_all() == 2
    assert not place.exists()


def test_an_id_may_be_abbreviated_and_a_whole_one_hides_longer_ones(place: Path) -> None:
    one, _ = kept("web", 2), kept("web.2", 1)
    assert spool.find("web") == {"web": [one]}
    assert list(spool.find("we")) == ["web", "web.2"]
    with pytest.raises(MinirtError, match=r"2 ids begin: web, web\.2"):
        life.lives("we")
    with pytest.raises(MinirtError, match="no trace"):
        life.lives("x")
    with pytest.raises(MinirtError, match="is empty"):
        life.lives("")


def test_of_one_id_the_newest_life_is_shown_or_all(place: Path) -> None:
    kept("web", 5)
    newest = sample.trace()
    kept("web", 1, newest)
    (shown,) = life.lives("web")
    assert shown.trace_id == newest.trace_id
    assert len(life.lives("web", every=True)) == 2


def test_a_long_id_is_cut_to_what_a_file_name_takes(place: Path) -> None:
    kept("x" * 250, 1)
    assert life.lives("x" * 250)


def test_spans_of_the_same_trace_join_it_and_others_do_not(place: Path) -> None:
    trace = sample.trace()
    kept("web", 1, trace)
    (whole,) = life.lives("web")
    program = next(span for span in trace.spans if span.name == "container")
    own = Trace(trace.trace_id, {})
    own.spans = [Record("work", SPAN, program.span_id, program.start, program.end)]
    life.join(whole, [own, sample.trace(), trace])
    assert len(whole.spans) == len(trace.spans) + 1
    rows = {row.record.name: row for row in whole.rows()}
    assert len(rows["work"].last) == len(rows["container"].last) + 1


def life_of(*spans: tuple[str, int, int]) -> Axis:
    """The axis of a trace with these spans, in ms."""
    trace = Trace("1" * 32, {})
    trace.spans = [
        Record(name, f"{n:016x}", "", begin * sample.MS, end * sample.MS)
        for n, (name, begin, end) in enumerate(spans, 1)
    ]
    return Axis([trace])


def test_every_quiet_stretch_of_a_life_is_cut() -> None:
    axis = life_of(("minirt create", 0, 10), ("minirt start", 5010, 5020),
                   ("container", 5015, 25_000), ("minirt exec", 15_000, 15_010),
                   ("minirt delete", 26_000, 26_010))  # fmt: skip
    assert len(axis.cuts) == 4
    assert axis.left_out > 25 * SECOND
    moments = [axis.at(moment * sample.MS) for moment in range(0, 26_011, 5)]
    assert moments == sorted(moments)
    assert (moments[0], round(moments[-1], 9)) == (0.0, 1.0)


def test_what_takes_long_itself_is_not_cut() -> None:
    axis = life_of(("minirt create", 0, 10), ("a hook", 10, 5000), ("minirt start", 5000, 5010))
    assert axis.cuts == []
