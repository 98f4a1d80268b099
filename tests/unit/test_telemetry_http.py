"""Sending to a collector: a detached process, which delays and reveals nothing."""

import http.server
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import sample
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from test_telemetry_export import check_tree, official, spans_of

from minirt.errors import ConfigError
from minirt.telemetry import otlp_file, otlp_http

CANARY = "canary-7f3a"
DELAY_LIMIT = 0.050  # seconds that a dead collector may cost a command
SENDER_LIMIT = 12.0  # START_LIMIT + LIMIT of minirt.telemetry.send

# A command that ends as minirt's do: it prints how long finish took, and the sender's pid.
COMMAND = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
import sample
from minirt import telemetry
from minirt.telemetry import otlp_http
pids = []
send = otlp_http.send_detached
otlp_http.send_detached = lambda *a: pids.append(send(*a))
recorder = sample.recorder()
before = time.perf_counter()
telemetry.finish(recorder, file=sys.argv[2])
print(time.perf_counter() - before, pids[0], flush=True)
sys.exit(7)
"""


class Collector:
    """A receiver of OTLP over HTTP on the loopback."""

    def __init__(self, status: int = 200) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.received = threading.Event()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.requests.append(
                    (self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                )
                self.send_response(status)
                self.end_headers()
                collector.received.set()

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.server.shutdown()
    made.server.server_close()


def run_command(tmp_path: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run COMMAND with its output in a pipe, as `output=$(minirt ...)` does."""
    words = [os.path.dirname(__file__), str(tmp_path / "t.jsonl"), CANARY]
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *words],
        check=False,
        env={"PATH": os.environ["PATH"], "SECRET": CANARY, **environ},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def wait_for_end(pid: int) -> None:
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = select.select([pidfd], [], [], SENDER_LIMIT + 5)[0]
    os.close(pidfd)
    assert ended, "the sender outlived its limit"


def test_a_collector_receives_what_the_file_says(tmp_path: Path, collector: Collector) -> None:
    ran = run_command(
        tmp_path,
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20abc",
        OTEL_SERVICE_NAME="containerd-shim-1234",
    )
    assert ran.returncode == 7
    assert collector.received.wait(SENDER_LIMIT)
    wait_for_end(int(ran.stdout.split()[1]))
    ((path, headers, body),) = collector.requests
    assert path == "/v1/traces"
    assert headers["authorization"] == "Bearer abc"
    request = ExportTraceServiceRequest.FromString(body)
    check_tree(spans_of(request))
    assert request == official((tmp_path / "t.jsonl").read_text())
    resource = {a.key: a.value.string_value for a in request.resource_spans[0].resource.attributes}
    assert resource["service.name"] == "minirt"
    assert CANARY.encode() not in body


@pytest.fixture
def black_hole() -> Iterator[str]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def refused() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("kind", ["refused", "black_hole"])
def test_a_dead_collector_delays_nothing_and_changes_nothing(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(kind)
    delays, senders = [], []
    for _ in range(3):  # the least of three: other processes may have the processor
        ran = run_command(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=url)
        assert (ran.returncode, ran.stderr) == (7, "")
        took, pid = ran.stdout.split()
        delays.append(float(took))
        senders.append(int(pid))
    assert min(delays) < DELAY_LIMIT
    for sender in senders:
        wait_for_end(sender)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:9", "http://", "http://:9", "http://127.0.0.1:99999", "http://127.0.0.1:x",
     "http:/127.0.0.1", "grpc://127.0.0.1:9", "http://[::1", "http://a b", f"{CANARY}:9"],
)  # fmt: skip
def test_a_malformed_address_is_found_at_once(address: str) -> None:
    with pytest.raises(requests.exceptions.RequestException) as by_exporter:
        requests.post(address, timeout=1)
    assert not isinstance(by_exporter.value, requests.exceptions.ConnectionError)
    with pytest.raises(ConfigError, match="OTEL_EXPORTER_OTLP_ENDPOINT: is no address") as ours:
        otlp_http.check_address({"OTEL_EXPORTER_OTLP_ENDPOINT": address})
    assert CANARY not in str(ours.value)


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:9", "HTTP://127.0.0.1:9/v1", "https://127.0.0.1:9", " http://127.0.0.1:9",
     "http://[::1]:9", "http://[::1]", "http://u:p@127.0.0.1:9?key=a@b:c", "http://127.0.0.1:"],
)  # fmt: skip
def test_any_other_address_is_for_the_exporter_to_try(address: str) -> None:
    other = {"OTEL_EXPORTER_OTLP_ENDPOINT": "nonsense"}
    otlp_http.check_address({**other, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": address})


def test_a_malformed_address_is_a_warning_and_the_file_is_written(tmp_path: Path) -> None:
    code = COMMAND.replace("pids[0]", "pids")
    words = [os.path.dirname(__file__), str(tmp_path / "t.jsonl")]
    environ = {"PATH": os.environ["PATH"], "OTEL_EXPORTER_OTLP_ENDPOINT": "127.0.0.1:9"}
    ran = subprocess.run(
        [sys.executable, "-c", code, *words],
        check=False, env=environ, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout.split()[1]) == (7, "[]")
    assert ran.stderr == (
        "minirt: warning: the trace was not exported: "
        "OTEL_EXPORTER_OTLP_ENDPOINT: is no address such as http://HOST:4318\n"
    )
    assert otlp_file.read((tmp_path / "t.jsonl").open(), "t")


def test_the_sender_holds_nothing_of_the_command(tmp_path: Path, black_hole: str) -> None:
    inherited, other = os.pipe()
    os.set_inheritable(other, True)  # noqa: FBT003
    before = time.monotonic()
    command = [sys.executable, "-c", COMMAND, os.path.dirname(__file__), str(tmp_path / "t")]
    ran = subprocess.run(
        command, capture_output=True, text=True, pass_fds=[other], check=False, cwd=tmp_path,
        env={"SECRET": CANARY, "OTEL_EXPORTER_OTLP_ENDPOINT": black_hole},
    )  # fmt: skip
    pid = int(ran.stdout.split()[1])
    pidfd = os.pidfd_open(pid)
    os.close(other)
    # The pipe that the command had inherited ends with the command, not with the sender.
    assert select.select([inherited], [], [], 1)[0]
    assert not select.select([pidfd], [], [], 0)[0], "the sender has ended too early to tell"
    assert os.getsid(pid) == pid
    with open(f"/proc/{pid}/environ", encoding="utf-8") as environ:
        assert CANARY not in environ.read()
    wait_for_end(pid)
    assert time.monotonic() - before < SENDER_LIMIT
    os.close(inherited)
    os.close(pidfd)


def test_a_trace_can_be_sent_later_and_a_refusal_is_explained(
    tmp_path: Path, collector: Collector, refused: str
) -> None:
    path = tmp_path / "t.jsonl"
    otlp_file.append(str(path), sample.trace())
    command = [sys.executable, "-m", "minirt", "trace", "export", str(path), "--endpoint"]
    sent = subprocess.run(
        [*command, f"{collector.url}/v1/traces"], check=False, capture_output=True, text=True
    )
    assert (sent.returncode, sent.stderr) == (0, "")
    assert sent.stdout.startswith("sent 7 spans")
    assert ExportTraceServiceRequest.FromString(collector.requests[0][2]) == official(
        path.read_text()
    )
    told = subprocess.run(
        [*command, f"{refused}/v1/traces"], check=False, capture_output=True, text=True
    )
    assert told.returncode == 125
    assert "Connection refused" in told.stderr
    assert "Traceback" not in told.stderr
