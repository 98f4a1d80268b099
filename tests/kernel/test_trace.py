"""The trace of a real container: its tree, its context inside and out, and what it never holds."""

import http.server
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

from minirt.spans import CONTAINER, HOST
from minirt.telemetry import otlp_file
from minirt.telemetry.model import Record, Trace

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CANARY = "canary-7f3a"


def step(
    number: int, *words: str, wanted: int = 0, **environ: str
) -> subprocess.CompletedProcess[str]:
    ran = subprocess.run(
        [sys.executable, "-I", "-m", f"minirt.step{number}", *words],
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ran.returncode == wanted, ran.stderr
    return ran


def read(file: Path) -> Trace:
    with file.open() as opened:
        (trace,) = otlp_file.read(opened, str(file))
    return trace


def named(trace: Trace, name: str) -> Record:
    (span,) = [span for span in trace.spans if span.name == name]
    return span


def test_every_span_has_its_parent_and_lies_within_it(tmp_path: Path) -> None:
    file = tmp_path / "t"
    step(6, "--network", "none", "--kernel", "--trace", str(file), "--", "true")
    trace = read(file)
    by_id = {span.span_id: span for span in trace.spans}
    assert len(by_id) == len(trace.spans)
    assert [span.name for span in trace.spans if not span.parent] == ["minirt run"]
    for span in trace.spans:
        parent = by_id.get(span.parent, span)
        assert parent.start <= span.start <= span.end <= parent.end, (span.name, parent.name)
        assert not span.error


def test_spans_are_named_after_what_is_done_and_not_to_whom(tmp_path: Path) -> None:
    files = [tmp_path / "one", tmp_path / "two"]
    for file in files:
        step(6, "--network", "none", "--trace", str(file), "--", "true")
    one, two = (read(file) for file in files)
    assert [span.name for span in one.spans] == [span.name for span in two.spans]
    for span in one.spans:
        assert re.fullmatch(r"minirt run|clone3|exec|container|[a-z_]+\.[a-z]+", span.name)


def test_the_span_of_the_container_is_its_programs_life(tmp_path: Path) -> None:
    file = tmp_path / "t"
    step(2, "--trace", str(file), "--", "sh", "-c", "exit 3", wanted=3)
    program, execution = named(read(file), "container"), named(read(file), "exec")
    assert program.start == execution.end
    assert (program.side, named(read(file), "clone3").side) == (CONTAINER, HOST)
    assert program.attributes["process.exit.code"] == 3
    assert program.attributes["process.vpid"] == 1


def test_a_callers_trace_goes_on_inside_the_container(tmp_path: Path) -> None:
    file = tmp_path / "t"
    caller = f"00-{TRACE}-{SPAN}-01"
    print_it = ("sh", "-c", "echo $TRACEPARENT")
    ran = step(3, "--quiet", "--trace", str(file), "--", *print_it, TRACEPARENT=caller)
    trace = read(file)
    assert trace.trace_id == TRACE
    assert named(trace, "minirt run").parent == SPAN
    assert ran.stdout.strip() == f"00-{TRACE}-{named(trace, 'container').span_id}-01"


def test_an_invalid_traceparent_is_not_joined(tmp_path: Path) -> None:
    file = tmp_path / "t"
    step(1, "--quiet", "--trace", str(file), "--", "true", TRACEPARENT=f"00-{TRACE}-0-01")
    assert read(file).trace_id != TRACE
    assert not named(read(file), "minirt run").parent


def test_an_unsampled_trace_is_passed_on_and_not_exported(tmp_path: Path) -> None:
    file = tmp_path / "t"
    caller = f"00-{TRACE}-{SPAN}-00"
    print_it = ("sh", "-c", "echo $TRACEPARENT")
    ran = step(3, "--quiet", "--trace", str(file), "--", *print_it, TRACEPARENT=caller)
    assert re.fullmatch(f"00-{TRACE}-[0-9a-f]{{16}}-00", ran.stdout.strip())
    assert not file.exists()


def test_a_failure_in_the_container_is_in_the_trace(tmp_path: Path) -> None:
    file = tmp_path / "t"
    step(3, "--quiet", "--trace", str(file), "--tmpfs", "/x:bad=1", "--", "true", wanted=125)
    trace = read(file)
    assert named(trace, "mounts.enter").error == "EINVAL"
    assert named(trace, "minirt run").error == "EINVAL"
    assert not named(trace, "uts.enter").error
    step(3, "--quiet", "--trace", str(file), "--", "/nope", wanted=127)
    with file.open() as opened:
        assert named(otlp_file.read(opened, "t")[-1], "exec").error == "ENOENT"


class Receiver(http.server.BaseHTTPRequestHandler):
    """Keeps the first request's body."""

    body = b""
    received = threading.Event()

    def do_POST(self) -> None:
        Receiver.body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        Receiver.received.set()

    def log_message(self, *_: object) -> None:
        pass


def test_a_secret_of_the_users_is_nowhere(tmp_path: Path) -> None:
    """In arguments, environment, host name, volume, temporary directory and a failing command."""
    file = tmp_path / "t"
    volume = tmp_path / CANARY
    volume.mkdir()
    server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    options = ("--env", f"SECRET={CANARY}", "--hostname", CANARY, "--kernel", "--trace", str(file))
    mounts = ("--volume", f"{volume}:/{CANARY}", "--tmpfs", f"/tmp/{CANARY}")
    good = step(
        3, *options, *mounts, "--", "sh", "-c", f": {CANARY}",
        OTHER=CANARY, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{server.server_port}",
    )  # fmt: skip
    bad = step(3, *options, "--", f"/{CANARY}", wanted=127)
    assert Receiver.received.wait(15)
    server.shutdown()
    server.server_close()
    waterfalls = [*good.stderr.splitlines(), *bad.stderr.splitlines()]
    # The error is for the one who typed the command, and names it.
    drawn = [line for line in waterfalls if not line.startswith(("minirt: ", "  during", "  call"))]
    minirt = [sys.executable, "-I", "-m", "minirt", "trace"]
    views = [
        subprocess.run([*minirt, view, "--all", str(file)], capture_output=True, check=True).stdout
        for view in ("show", "html", "chrome")
    ]
    assert len(Receiver.body) > 1000
    for text in (file.read_bytes(), "\n".join(drawn).encode(), Receiver.body, *views):
        assert CANARY.encode() not in text
