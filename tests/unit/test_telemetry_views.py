"""The pictures of a trace: terminal, page, Chrome's format."""

import io
import json
import os
import pty
import re
import termios
from collections.abc import Sequence
from contextlib import suppress
from html.parser import HTMLParser

import pytest
import sample

from minirt.errors import CommandError, ConfigError, KernelError, MinirtError, StateError
from minirt.spans import Recorder
from minirt.telemetry import axis, chrome, html, otlp_file, waterfall
from minirt.telemetry.model import Record, Trace, from_recorder


class Output(io.StringIO):
    """A stream that is no terminal, with the encoding of one's choice."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:
        return self._encoding


def drawn(*traces: Trace, encoding: str = "utf-8", titles: Sequence[str] = ()) -> str:
    out = Output(encoding)
    waterfall.draw(traces, out, titles=titles)
    return out.getvalue()


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLUMNS", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


def test_the_waterfall_shows_tree_sides_and_durations() -> None:
    text = drawn(sample.trace())
    assert re.search(r"^minirt run +host +10\.0 ms +█+$", text, re.M)
    assert re.search(r"^│  └─ nft +host +1\.00 ms +█+$", text, re.M)
    assert re.search(r"^│  └─ mount\(2\) +kernel +60\.0 µs +▒+$", text, re.M)
    assert re.search(r"^└─ container +container +4\.00 ms +▓+$", text, re.M)
    assert "\033" not in text


def test_bars_stand_where_the_time_is() -> None:
    lines = {line.split()[1]: line for line in drawn(sample.trace()).splitlines() if "─" in line}
    first = {name: re.search("[█▓▒]", line).start() for name, line in lines.items()}
    assert len(lines["clone3"]) <= first["veth.attach"] + 1
    assert len(lines["overlay.enter"]) <= first["container"] + 1


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    trace = sample.trace(error="EINVAL")
    trace.spans[2].name = "a.very.long.name.that.does.not.fit" * 3
    assert max(map(len, drawn(trace).splitlines())) == width


def test_an_encoding_without_the_characters_gets_plain_ascii() -> None:
    text = drawn(sample.trace(error="EINVAL"), encoding="ascii")
    text.encode("ascii")
    assert "`- " in text
    assert "60.0 us" in text
    assert "! EINVAL" in text


def test_a_failed_span_is_marked() -> None:
    assert "├─ overlay.enter ✗ EINVAL" in drawn(sample.trace(error="EINVAL"))


@pytest.mark.parametrize(
    ("error", "kind", "shown"),
    [
        (CommandError("/home/me/x: no such file"), "CommandError", "not found"),
        (
            CommandError("/home/me/x: is a directory", exit_code=126),
            "CommandError",
            "cannot be run",
        ),
        (ConfigError("must be a string", pointer="/secret"), "ConfigError", "wrong value"),
        (StateError("container secret is stopped"), "StateError", "wrong state"),
        (KernelError("x", call='mount("/secret")', errno=22), "EINVAL", "EINVAL"),
    ],
)
def test_an_error_is_shown_in_words_and_keeps_its_type(
    error: MinirtError, kind: str, shown: str
) -> None:
    recorder = Recorder()
    with suppress(MinirtError), recorder.span("exec"):
        raise error
    line = otlp_file.encode(from_recorder(recorder))
    (trace,) = otlp_file.decode(json.loads(line))
    assert trace.spans[0].error == kind
    assert f"exec ✗ {shown} " in drawn(trace)
    assert f">exec ✗ {shown}<" in html.page([trace])


def test_a_foreign_programs_long_message_leaves_room_for_the_bars() -> None:
    trace = sample.trace(error="ValueError")
    trace.spans[4].message = "ValueError: " + "x" * 100
    assert "overlay.enter ✗ ValueError " in drawn(trace)


def test_a_long_run_of_the_program_is_cut_out_and_said() -> None:
    text = drawn(sample.trace(program_takes=3600 * 10**9))
    assert "≈ 3600 s of the program left out" in text
    clone = next(line for line in text.splitlines() if "clone3" in line)
    assert clone.count("█") > 1


def test_traces_on_one_axis_start_together_and_are_not_cut() -> None:
    short, long = sample.trace(), sample.trace(program_takes=100 * sample.MS)
    text = drawn(short, long, titles=["container", "virtual machine"])
    roots = [line for line in text.splitlines() if line.startswith("minirt run")]
    assert [line.index("█") for line in roots] == [roots[0].index("█")] * 2
    assert 5 * roots[0].count("█") < roots[1].count("█")
    assert text.index("\ncontainer\n") < text.index("\nvirtual machine\n")


def test_control_characters_of_a_foreign_file_do_not_reach_the_terminal() -> None:
    trace = sample.trace()
    trace.spans[1].name = "\033]0;title\a\nclone3"
    assert "\033" not in drawn(trace)
    assert "?]0;title??clone3" in drawn(trace)


def test_no_span_is_lost_in_a_circle_of_parents() -> None:
    trace = Trace("1" * 32, {})
    trace.spans = [
        Record("a", "a1", "b1", 0, 9),
        Record("b", "b1", "a1", 0, 9),
        Record("c", "c1", "c1", 0, 9),
    ]
    assert sorted(row.record.name for row in trace.rows()) == ["a", "b", "c"]


def on_terminal(width: int, **environ: str) -> str:
    """What a terminal of that width gets."""
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (24, width))
    child = os.fork()
    if child == 0:
        os.environ.update({"TERM": "xterm", **environ})
        with open(follower, "w", encoding="utf-8") as terminal:
            waterfall.draw([sample.trace(error="EINVAL")], terminal)
        os._exit(0)
    os.close(follower)
    chunks = []
    try:
        while chunk := os.read(leader, 4096):
            chunks.append(chunk)
    except OSError:  # the terminal's other side is closed
        pass
    os.close(leader)
    assert os.waitpid(child, 0)[1] == 0
    return b"".join(chunks).decode()


def test_a_terminal_gets_colour_and_its_own_width() -> None:
    text = on_terminal(91)
    assert "\033[31m" in text
    plain = re.sub("\033\\[[0-9;]*m", "", text)
    assert max(map(len, plain.splitlines())) == 91


def test_no_color_is_respected() -> None:
    assert "\033" not in on_terminal(80, NO_COLOR="1")
    assert "\033" not in on_terminal(80, TERM="dumb")


@pytest.mark.parametrize(
    ("ns", "text"),
    [(0, "0"), (812, "812 ns"), (999_499, "999 µs"), (999_600, "1.00 ms"), (15_300_000, "15.3 ms"),
     (2_810_000_000, "2.81 s"), (61 * 10**9, "61.0 s")],
)  # fmt: skip
def test_durations_have_three_digits(ns: int, text: str) -> None:
    assert axis.duration(ns) == text


def test_chrome_has_a_named_track_for_each_side_and_nothing_overlaps_in_it() -> None:
    trace = sample.trace()
    extra = Record("mount(2)", "ff" * 8, trace.spans[0].span_id, trace.start + 4_030_000, 0)
    extra.end, extra.side = extra.start + 90_000, "kernel"  # another process's, half beside
    trace.spans.append(extra)
    events = json.loads(chrome.chrome([trace]))["traceEvents"]
    tracks = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
    assert sorted(tracks.values()) == ["container", "host", "kernel", "kernel 2"]
    boxes = [event for event in events if event["ph"] == "X"]
    assert len(boxes) == len(trace.spans)
    for one in boxes:
        for two in (box for box in boxes if box["tid"] == one["tid"]):
            ends = one["ts"] + one["dur"], two["ts"] + two["dur"]
            assert one["ts"] >= two["ts"] or ends[0] <= two["ts"] or ends[0] >= ends[1]
    assert [event["name"] for event in events if event["ph"] == "i"] == ["started"]


class Reader(HTMLParser):
    """Collects tags, attributes and text, and refuses tags that do not match."""

    def __init__(self) -> None:
        super().__init__()
        self.tags, self.values, self.open = [], [], []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.values += [(tag, name, value) for name, value in attrs]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_asks_for_nothing_else() -> None:
    trace = sample.trace(error="EINVAL", program_takes=10**10)
    page = html.page([trace])
    reader = Reader()
    reader.feed(page)
    assert not reader.open
    assert not {"script", "link", "img", "iframe"} & set(reader.tags)
    assert not re.search(r"https?://|url\(|@import|src=", page)
    assert ("svg", "role", "img") in reader.values
    assert reader.tags.count("title") == 1 + len(trace.spans)
    assert reader.tags.count("tr") == 1 + len(trace.spans)
    assert "prefers-color-scheme: dark" in page


def test_the_page_escapes_what_a_file_brings() -> None:
    trace = sample.trace()
    trace.spans[1].name = '<script>alert("x")</script>'
    trace.spans[1].attributes["<b>"] = "</td>&"
    trace.resource["<i>"] = "</p>"
    page = html.page([trace], titles=["<h1>"])
    assert not re.search("<script|<b>|<i>|<h1><", page)
