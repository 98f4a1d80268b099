"""One tree: a caller's span, what the runtime did below the engine, a span of the program's own."""

from __future__ import annotations

import http.server
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from containerd import Containerd
from cri import NAME, NAMESPACE, UID, Client
from docker import Docker
from engine import IMAGE, Engine, until
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from podman import podman_in
from test_cri import PAUSE, pause_image

from minirt.telemetry import life

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minirt.telemetry.model import Record, Trace

ROOT = Path(__file__).parent.parent.parent
PROGRAM = ("chroot", "/host", sys.executable, str(Path(__file__).parent / "traced.py"))
SENT_S = 20.0
ON = ("--annotation", "minirt.dev/trace=on")


@pytest.fixture(scope="module")
def podman(scratch: Path, archive: Path, launcher: str) -> Iterator[Engine]:
    with podman_in(scratch / "traced", archive) as engine:
        yield engine


@pytest.fixture
def collector() -> Iterator[tuple[str, queue.Queue[bytes]]]:
    """A receiver of OTLP over HTTP: its address, and the bodies that came."""
    bodies: queue.Queue[bytes] = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.put(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1/traces", bodies
    server.shutdown()
    server.server_close()


def named(trace: Trace, name: str) -> Record:
    (span,) = [span for span in trace.spans if span.name == name]
    return span


def deleted(container: str) -> Trace:
    """The whole life of a container that is gone: an engine deletes it when it likes."""

    def gone() -> bool:
        spans = life.lives(container)[0].spans
        return any(span.name == "minirt delete" for span in spans)

    until(gone)
    [trace] = life.lives(container)
    return trace


def test_from_the_caller_through_podman_and_the_runtime_into_the_program(
    podman: Engine, collector: tuple[str, queue.Queue[bytes]], tmp_path: Path
) -> None:
    """Podman gives the runtime nothing of its environment, so the context is an annotation."""
    address, bodies = collector
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("caller")
    with tracer.start_as_current_span("deploy") as caller:
        carrier: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carrier)
        identity = tmp_path / "cid"
        podman.must(
            "run", "--cidfile", str(identity), "--network", "host", "--volume", "/:/host",
            *ON, "--annotation", f"minirt.dev/traceparent={carrier['traceparent']}",
            "--annotation", "minirt.dev/trace-inside=on", IMAGE, *PROGRAM, address,
        )  # fmt: skip
        podman.must("rm", identity.read_text())
    container = identity.read_text()
    trace = deleted(container)
    request = ExportTraceServiceRequest.FromString(bodies.get(timeout=SENT_S))
    own = request.resource_spans[0].scope_spans[0].spans[0]

    context = caller.get_span_context()
    create, program = named(trace, "minirt create"), named(trace, "container")
    assert trace.trace_id == own.trace_id.hex() == f"{context.trace_id:032x}"
    assert (own.name, own.parent_span_id.hex()) == ("work", program.span_id)
    assert program.start <= own.start_time_unix_nano <= own.end_time_unix_nano <= program.end
    assert program.parent == create.span_id
    assert create.parent == f"{context.span_id:016x}"
    known = {span.span_id for span in trace.spans} | {create.parent}
    assert {span.parent for span in trace.spans} <= known
    names = {span.name for span in trace.spans}
    assert {"clone3", "pivot.seal", "seccomp.start", "exec", "minirt start"} <= names
    assert caller.start_time <= create.start
    assert named(trace, "minirt delete").end <= caller.end_time


def test_the_verbs_of_podman_are_in_its_containers_life(podman: Engine) -> None:
    name = podman.must("run", "--detach", *ON, IMAGE, "sleep", "600")
    podman.must("exec", name, "true")
    podman.must("pause", name)
    podman.must("unpause", name)
    shown = minirt("trace", "show", "--container", name[:12])
    assert "has not been seen to end" in shown
    podman.must("stop", "--time", "0", name)
    podman.must("rm", name)
    trace = deleted(name[:12])
    verbs = [span.name.split()[1] for span in trace.spans if span.name.startswith("minirt ")]
    assert [verb for verb in verbs if verb != "kill"] == [
        "create", "start", "exec", "pause", "resume", "delete"
    ]  # fmt: skip
    assert "kill" in verbs
    assert named(trace, "minirt exec").links


def test_a_container_of_podmans_that_is_not_traced_has_no_trace(podman: Engine) -> None:
    name = podman.must("run", "--detach", IMAGE, "sleep", "600")
    done = subprocess.run(
        [sys.executable, "-m", "minirt", "trace", "show", "--container", name[:12]],
        capture_output=True, text=True, check=False, cwd=ROOT, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    podman.must("rm", "--force", "--time", "0", name)
    assert done.returncode == 125
    assert f"container {name} has no trace" in done.stderr


def test_docker_traces_all_when_its_daemon_says_so(
    scratch: Path, archive: Path, launcher: str
) -> None:
    """This docker takes no annotations; what the daemon's environment has, its shims inherit."""
    engine = Docker(scratch / "docker-traces", launcher, prefix=("env", "MINIRT_TRACE=on"))
    try:
        engine.ready()
        engine.must("load", "--input", str(archive))
        name = engine.must("run", "--detach", IMAGE, "true")
        until(lambda: engine.field(name, ".State.Status") == "exited")
        trace = deleted(name[:12])
        assert not any(span.error for span in trace.spans)
        assert named(trace, "minirt start").parent == named(trace, "minirt create").span_id
        assert named(trace, "container").end <= named(trace, "minirt delete").end
        engine.must("rm", name)
    finally:
        engine.end()


def test_kubernetes_switches_a_pod_on_by_its_annotation(
    scratch: Path, archive: Path, launcher: str
) -> None:
    pause = pause_image(scratch / "pause-traces", archive, launcher)
    server = Containerd(scratch / "containerd-traces", launcher, PAUSE)
    client = Client(server.socket)
    try:
        for image in (pause, archive):
            server.ctr("k8s.io").must("image", "import", str(image))
        metadata = {NAME: "pod", UID: "uid-1", NAMESPACE: "default"}
        annotation = {1: "minirt.dev/trace", 2: "on"}
        config = {1: metadata, 2: "in-a-pod", 3: str(scratch), 7: [annotation],
                  8: {1: "/minirt-engines"}}  # fmt: skip
        pod = client.text("RunPodSandbox", {1: config, 2: "minirt"}, 1)
        wanted = {1: {NAME: "c1"}, 2: {1: IMAGE}, 3: ["true"], 11: "c1.log"}
        container = client.text("CreateContainer", {1: pod, 2: wanted, 3: config}, 1)
        client.call("StartContainer", {1: container})
        inside = deleted(container)
        client.call("StopPodSandbox", {1: pod})
        client.call("RemovePodSandbox", {1: pod})
        assert named(inside, "container")
        assert (
            named(deleted(pod), "minirt create").span_id != named(inside, "minirt create").span_id
        )
    finally:
        client.channel.close()
        server.daemon.stop()


def minirt(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "minirt", *words],
        capture_output=True, text=True, check=True, cwd=ROOT, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    return done.stdout
