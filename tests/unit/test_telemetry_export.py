"""What leaves the recorder: the official OTLP messages, from a file and over HTTP."""

import base64
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import sample
from google.protobuf import json_format
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1 import trace_pb2
from opentelemetry.trace import SpanKind, StatusCode

from minirt import telemetry
from minirt.spans import Recorder
from minirt.telemetry import otlp_file, otlp_http
from minirt.telemetry.model import cgroup_mode
from minirt.telemetry.replay import replay

IDS = ("traceId", "spanId", "parentSpanId")
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def official(line: str) -> ExportTraceServiceRequest:
    """OTLP JSON as the protobuf message; ids are hex there, base64 in protobuf's own JSON."""

    def with_base64(item: dict[str, object]) -> dict[str, object]:
        for key in IDS:
            if key in item:
                item[key] = base64.b64encode(bytes.fromhex(str(item[key]))).decode()
        return item

    document = json.loads(line, object_hook=with_base64)
    return json_format.ParseDict(document, ExportTraceServiceRequest())


def spans_of(request: ExportTraceServiceRequest) -> list[trace_pb2.Span]:
    return [s for r in request.resource_spans for c in r.scope_spans for s in c.spans]


def check_tree(spans: list[trace_pb2.Span]) -> None:
    """Every parent resolves, every span ends after it starts, children lie within parents."""
    by_id = {span.span_id: span for span in spans}
    roots = [span for span in spans if not span.parent_span_id]
    assert len(by_id) == len(spans)
    assert len(roots) == 1
    assert {span.trace_id for span in spans} == {roots[0].trace_id}
    for span in spans:
        assert span.start_time_unix_nano <= span.end_time_unix_nano
        if span.parent_span_id:
            parent = by_id[span.parent_span_id]
            assert parent.start_time_unix_nano <= span.start_time_unix_nano
            assert span.end_time_unix_nano <= parent.end_time_unix_nano


def test_the_file_parses_into_the_official_messages() -> None:
    request = official(otlp_file.encode(sample.trace(error="EINVAL")))
    spans = {span.name: span for span in spans_of(request)}
    check_tree(list(spans.values()))
    assert spans["nft"].kind == trace_pb2.Span.SPAN_KIND_CLIENT
    assert spans["clone3"].kind == trace_pb2.Span.SPAN_KIND_INTERNAL
    assert spans["overlay.enter"].status.code == trace_pb2.Status.STATUS_CODE_ERROR
    assert spans["clone3"].status.code == trace_pb2.Status.STATUS_CODE_UNSET
    types = next(a for a in spans["clone3"].attributes if a.key == "minirt.namespace.types")
    assert [v.string_value for v in types.value.array_value.values] == ["mnt", "uts"]


@pytest.mark.parametrize("traceparent", ["", f"00-{TRACE}-{SPAN}-01"])
def test_the_file_says_what_the_official_encoder_says_of_the_replayed_spans(
    traceparent: str,
) -> None:
    trace = sample.trace(error="EINVAL", traceparent=traceparent)
    ours, theirs = official(otlp_file.encode(trace)), encode_spans(replay(trace))
    assert json_format.MessageToDict(ours) == json_format.MessageToDict(theirs)


def test_replayed_spans_have_the_recorded_ids_times_and_kinds() -> None:
    recorder = sample.recorder(error="EINVAL", traceparent=f"00-{TRACE}-{SPAN}-01")
    at_monotonic, at_wall = recorder.anchor
    trace = telemetry.model.from_recorder(recorder)
    for recorded, span in zip(recorder.spans, replay(trace), strict=True):
        context = span.get_span_context()
        assert context.trace_id == int(TRACE, 16)
        assert context.span_id == int.from_bytes(recorded.span_id)
        assert span.parent.span_id == int.from_bytes(recorded.parent)
        assert span.parent.is_remote == (recorded.name == "minirt run")
        assert span.start_time == recorded.start - at_monotonic + at_wall
        assert span.end_time == recorded.end - at_monotonic + at_wall
        assert span.kind == (SpanKind.CLIENT if recorded.name == "nft" else SpanKind.INTERNAL)
        failed = recorded.name == "overlay.enter"
        assert span.status.status_code == (StatusCode.ERROR if failed else StatusCode.UNSET)
        assert span.attributes.get("error.type") == ("EINVAL" if failed else None)


def test_the_resource_is_minirt_whatever_the_caller_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "containerd-shim-1234")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=other")
    resource = replay(sample.trace())[0].resource.attributes
    assert resource["service.name"] == "minirt"
    assert resource["host.arch"] in ("amd64", "arm64")
    assert resource["os.version"] == os.uname().release
    assert resource["minirt.cgroup.mode"] in ("v1", "v2", "hybrid", "none")


@pytest.mark.parametrize(
    ("fstypes", "mode"),
    [
        (["cgroup2", "ext4"], "v2"),
        (["cgroup"], "v1"),
        (["cgroup", "cgroup2"], "hybrid"),
        ([], "none"),
    ],
)
def test_the_cgroup_mode_comes_from_what_is_mounted(fstypes: list[str], mode: str) -> None:
    assert cgroup_mode(fstypes) == mode


def test_a_trace_read_back_is_the_one_written(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    written = sample.trace(error="EINVAL")
    otlp_file.append(str(path), written)
    with path.open() as file:
        (read,) = otlp_file.read(file, str(path))
    assert otlp_file.encode(read) == otlp_file.encode(written)


def test_concurrent_commands_share_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            for _ in range(25):
                otlp_file.append(str(path), sample.trace())
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    lines = path.read_text().splitlines()
    assert [len(spans_of(official(line))) for line in lines] == [7] * 100
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_unsampled_trace_is_not_exported(tmp_path: Path) -> None:
    recorder = Recorder(f"00-{TRACE}-{SPAN}-00")
    with recorder.span("minirt run"):
        pass
    telemetry.finish(recorder, file=str(tmp_path / "t.jsonl"))
    assert not (tmp_path / "t.jsonl").exists()


def test_a_file_that_cannot_be_written_is_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    telemetry.finish(sample.recorder(), file=str(tmp_path / "missing" / "t.jsonl"))
    assert "minirt: warning: the trace was not exported" in capsys.readouterr().err


def test_a_span_that_is_still_open_ends_now_and_says_so() -> None:
    recorder = Recorder()
    recorder.span("minirt run")
    (span,) = telemetry.model.from_recorder(recorder).spans
    assert span.takes >= 0
    assert span.error == "Unfinished"


@pytest.mark.parametrize(
    ("environ", "answer"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "x", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "x", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "x", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, False),
    ],
)
def test_the_environment_decides_whether_to_send(environ: dict[str, str], *, answer: bool) -> None:
    assert otlp_http.wanted(environ) is answer


def test_writing_a_file_needs_no_opentelemetry(tmp_path: Path) -> None:
    code = (
        "import sys; from minirt import telemetry; from minirt.spans import Recorder\n"
        "telemetry.finish(Recorder(), file=sys.argv[1]); import minirt.telemetry.kernel\n"
        "print(*(m for m in sys.modules if m.startswith('opentelemetry')))"
    )
    command = [sys.executable, "-I", "-c", code, str(tmp_path / "t.jsonl")]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not run.stdout.strip()
    assert (tmp_path / "t.jsonl").exists()
