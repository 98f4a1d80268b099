"""One trace of a container's whole life, over calls that are processes of their own."""

from __future__ import annotations

import http.server
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import leaks
import oci
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from test_trace import CANARY, SPAN, TRACE, named

from minirt import state_root
from minirt.spans import CONTAINER
from minirt.telemetry import life, otlp_file, send, spool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minirt.telemetry.model import Trace

ROOT = Path(__file__).parent.parent.parent
ON = {"minirt.dev/trace": "on"}
CALLER = f"00-{TRACE}-{SPAN}-01"
BARE: dict[str, str] = {}
SENT_S = send.START_LIMIT + send.LIMIT


@pytest.fixture
def name() -> Iterator[str]:
    """An id that nobody else has, whose traces are removed at the end."""
    made = f"trace-{os.urandom(4).hex()}"
    yield made
    for path in Path(spool.directory()).glob(f"{made}*"):
        path.unlink()


@pytest.fixture
def runtime(tmp_path: Path) -> oci.Runtime:
    made = oci.Runtime(tmp_path, "sleep", "600")
    made.config["annotations"] = dict(ON)
    return made


def whole_life(runtime: oci.Runtime, name: str, output: Path, **environ: str) -> None:
    """Every verb that changes something, the later ones with nothing in their environment."""
    pid_file = runtime.bundle / "pid"
    with output.open("w") as file:
        runtime.must(
            "create", "--pid-file", str(pid_file), name, env=environ, capture_output=False,
            stdout=file, stderr=file,
        )  # fmt: skip
    runtime.must("start", name, env=BARE)
    runtime.must("exec", name, "true", env=BARE)
    runtime.must("pause", name, env=BARE)
    runtime.must("resume", name, env=BARE)
    runtime.must("update", "--pids-limit", "50", name, env=BARE)
    pidfd = os.pidfd_open(int(pid_file.read_text()))
    runtime.must("kill", name, "KILL", env=BARE)
    os.waitid(os.P_PIDFD, pidfd, os.WEXITED)  # init is ours: conftest adopts orphans
    os.close(pidfd)
    runtime.must("delete", name, env=BARE)


def kept(name: str) -> list[Trace]:
    """What the spool has of the container, not put together yet."""
    [paths] = spool.find(name).values()
    with open(paths[-1], encoding="utf-8") as file:
        return otlp_file.read(file, paths[-1])


def check_tree(trace: Trace) -> None:
    """Each parent is there; a child lies inside it, unless a later call or the program is it."""
    by_id = {span.span_id: span for span in trace.spans}
    assert len(by_id) == len(trace.spans)
    for span in trace.spans:
        assert span.start <= span.end
        if not span.parent:
            continue
        parent = by_id[span.parent]
        assert parent.start <= span.start, (span.name, parent.name)
        if not span.name.startswith("minirt ") and span.name != "container":
            assert span.end <= parent.end, (span.name, parent.name)


def test_a_whole_life_is_one_trace(runtime: oci.Runtime, name: str, tmp_path: Path) -> None:
    output = tmp_path / "output"
    whole_life(runtime, name, output)
    (trace,) = kept(name)
    check_tree(trace)
    assert output.read_text() == ""
    create = named(trace, "minirt create")
    assert [span.name for span in trace.spans if not span.parent] == ["minirt create"]
    calls = [span for span in trace.spans if span.name.startswith("minirt ")]
    verbs = ["create", "start", "exec", "pause", "resume", "update", "kill", "delete"]
    assert [span.name.removeprefix("minirt ") for span in calls] == verbs
    assert all(later.start > sooner.end for sooner, later in pairwise(calls))
    assert {span.parent for span in calls[1:]} == {create.span_id}
    assert [span.name for span in calls if span.links] == ["minirt exec"]
    assert named(trace, "minirt exec").links == [(trace.trace_id, create.span_id)]
    assert named(trace, "uts.enter").parent == create.span_id
    program = named(trace, "container")
    started = next(span for span in trace.spans if span.name == "exec")
    assert (program.side, program.start) == (CONTAINER, started.end)
    assert named(trace, "minirt start").span_id == started.parent
    assert named(trace, "minirt kill").start < program.end <= named(trace, "minirt delete").start
    assert named(trace, "minirt kill").attributes["minirt.signal"] == signal.SIGKILL
    assert not any(span.error for span in trace.spans)


def test_run_tells_of_the_programs_end(runtime: oci.Runtime, name: str) -> None:
    runtime.config["process"]["args"] = ["sh", "-c", "exit 3"]
    assert runtime.call("run", name, env=BARE).returncode == 3
    (trace,) = kept(name)
    check_tree(trace)
    assert named(trace, "container").attributes["process.exit.code"] == 3
    assert named(trace, "container").parent == named(trace, "minirt run").span_id


def test_a_container_that_is_kept_is_told_of_once(runtime: oci.Runtime, name: str) -> None:
    runtime.config["process"]["args"] = ["true"]
    runtime.must("run", "--keep", name, env=BARE)
    runtime.must("delete", name, env=BARE)
    (trace,) = kept(name)
    check_tree(trace)
    assert named(trace, "container").attributes["process.exit.code"] == 0


def test_force_ends_the_life(runtime: oci.Runtime, name: str, tmp_path: Path) -> None:
    runtime.start(name, tmp_path / "output")
    runtime.must("delete", "--force", name, env=BARE)
    (trace,) = kept(name)
    assert named(trace, "container").end >= named(trace, "minirt delete").start


def test_the_environment_switches_it_on_for_all(
    runtime: oci.Runtime, name: str, tmp_path: Path
) -> None:
    del runtime.config["annotations"]
    directory = tmp_path / "traces"
    directory.mkdir()
    whole_life(runtime, name, tmp_path / "output", MINIRT_TRACE=str(directory))
    file = directory / f"{name}.jsonl"
    [path] = next(iter(spool.find(name).values()))
    with open(path, encoding="utf-8") as other:
        assert file.read_text() == other.read()
    assert (file.stat().st_mode & 0o777, os.stat(path).st_mode & 0o777) == (0o600, 0o600)
    assert os.stat(os.path.dirname(path)).st_mode & 0o777 == 0o700
    assert named(kept(name)[0], "minirt delete")


@pytest.mark.parametrize(
    ("annotation", "environ", "traced"),
    [
        (None, {}, False),
        ("off", {"MINIRT_TRACE": "on"}, False),
        (None, {"MINIRT_TRACE": "on"}, True),
        (None, {"MINIRT_TRACE": "off"}, False),
        ("on", {"MINIRT_TRACE": "off"}, True),
        ("perhaps", {}, False),
        ("perhaps", {"MINIRT_TRACE": "on"}, True),
    ],
)
def test_the_annotation_comes_before_the_environment(
    runtime: oci.Runtime,
    name: str,
    annotation: str | None,
    environ: dict[str, str],
    *,
    traced: bool,
) -> None:
    runtime.config["annotations"] = {"minirt.dev/trace": annotation} if annotation else {}
    runtime.config["process"]["args"] = ["true"]
    done = runtime.call("run", name, env=environ)
    assert done.returncode == 0
    assert bool(spool.find(name)) is traced
    assert ("neither on nor off" in done.stderr) is (annotation == "perhaps")


OTHER = "00-11111111111111111111111111111111-2222222222222222-01"


@pytest.mark.parametrize(
    ("environ", "annotation", "parent", "warned"),
    [
        ({"TRACEPARENT": CALLER}, OTHER, SPAN, ""),
        ({}, OTHER, "2" * 16, ""),
        ({"TRACEPARENT": "00-malformed"}, OTHER, "2" * 16, "TRACEPARENT is no"),
        ({"TRACEPARENT": "00-malformed"}, None, "", "TRACEPARENT is no"),
        ({}, "00-" + "0" * 32 + "-2222222222222222-01", "", "minirt.dev/traceparent is no"),
        ({}, None, "", ""),
    ],
)
def test_whose_child_create_is(
    runtime: oci.Runtime, name: str, environ: dict[str, str], annotation: str | None, parent: str,
    warned: str,
) -> None:  # fmt: skip
    if annotation:
        runtime.config["annotations"]["minirt.dev/traceparent"] = annotation
    runtime.config["process"]["args"] = ["true"]
    done = runtime.call("run", name, env=environ)
    assert done.returncode == 0
    assert named(kept(name)[0], "minirt run").parent == parent
    assert warned in done.stderr
    assert bool(done.stderr) is bool(warned)


def test_a_later_call_is_its_callers_child_with_a_link(
    runtime: oci.Runtime, name: str, tmp_path: Path
) -> None:
    runtime.start(name, tmp_path / "output")
    runtime.must("exec", name, "true", env={"TRACEPARENT": CALLER, "TRACESTATE": "a=b"})
    runtime.must("delete", "--force", name, env=BARE)
    own, other = kept(name)
    execution = named(other, "minirt exec")
    assert (other.trace_id, other.tracestate, execution.parent) == (TRACE, "a=b", SPAN)
    assert execution.links == [(own.trace_id, named(own, "minirt create").span_id)]
    (whole,) = life.lives(name)
    assert {span.span_id for span in whole.spans} == {
        span.span_id for trace in (own, other) for span in trace.spans
    }


def test_who_is_not_sampled_is_passed_on_and_not_kept(
    runtime: oci.Runtime, name: str, tmp_path: Path
) -> None:
    runtime.config["annotations"]["minirt.dev/trace-inside"] = "on"
    runtime.config["process"]["args"] = ["sh", "-c", "echo $TRACEPARENT $TRACESTATE"]
    unsampled = CALLER.removesuffix("01") + "00"
    said = runtime.must("run", name, env={"TRACEPARENT": unsampled, "TRACESTATE": "a=b"})
    assert re.fullmatch(f"00-{TRACE}-[0-9a-f]{{16}}-00 a=b\n", said)
    assert not spool.find(name)


@pytest.mark.parametrize(
    ("annotation", "own", "said"),
    [
        (None, [], ""),
        ("on", [], f"00-{TRACE}-LIFE-01 a=b"),
        ("on", ["TRACEPARENT=mine"], "mine"),
    ],
)
def test_the_program_gets_the_context_if_that_is_wanted(
    runtime: oci.Runtime, name: str, annotation: str | None, own: list[str], said: str
) -> None:
    if annotation:
        runtime.config["annotations"]["minirt.dev/trace-inside"] = annotation
    runtime.config["process"]["args"] = ["sh", "-c", "echo $TRACEPARENT $TRACESTATE"]
    runtime.config["process"]["env"] += own
    output = runtime.must("run", name, env={"TRACEPARENT": CALLER, "TRACESTATE": "a=b"})
    span = named(kept(name)[0], "container").span_id
    assert output.strip() == said.replace("LIFE", span)


def test_a_program_of_exec_gets_it_too(runtime: oci.Runtime, name: str, tmp_path: Path) -> None:
    runtime.config["annotations"]["minirt.dev/trace-inside"] = "on"
    runtime.start(name, tmp_path / "output")
    said = runtime.must("exec", name, "sh", "-c", "echo $TRACEPARENT", env=BARE)
    runtime.must("delete", "--force", name, env=BARE)
    assert said.split("-")[2] == named(kept(name)[0], "minirt exec").span_id


def test_hooks_get_the_context_of_their_span(
    runtime: oci.Runtime, name: str, tmp_path: Path
) -> None:
    out = tmp_path / "context"
    hook = {"path": "/bin/sh", "args": ["sh", "-c", f"echo $TRACEPARENT >> {out}"]}
    own = {**hook, "env": ["TRACEPARENT=my-own-trace-context"]}
    kinds = {"createRuntime": [hook], "poststart": [hook], "poststop": [hook, own]}
    runtime.config["hooks"] = kinds
    runtime.start(name, tmp_path / "output")
    runtime.must("delete", "--force", name, env=BARE)
    (trace,) = kept(name)
    spans = {span.span_id: span for span in trace.spans}
    *lines, last = out.read_text().splitlines()
    assert last == "my-own-trace-context"
    said = [line.split("-") for line in lines]
    assert [(parts[1], spans[parts[2]].name) for parts in said] == [(trace.trace_id, "sh")] * 3


def test_hooks_of_an_untraced_container_get_the_callers_own(
    runtime: oci.Runtime, name: str, tmp_path: Path
) -> None:
    """A span that is kept by nobody must not become anybody's parent."""
    out = tmp_path / "context"
    del runtime.config["annotations"]
    runtime.config["process"]["args"] = ["true"]
    words = ["sh", "-c", f"echo =$TRACEPARENT >> {out}"]
    runtime.config["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": words}]}
    runtime.must("run", name, env={"TRACEPARENT": CALLER})
    runtime.must("run", name, env=BARE)
    assert out.read_text() == f"={CALLER}\n=\n"


def test_a_failure_of_create_is_in_the_trace(runtime: oci.Runtime, name: str) -> None:
    runtime.config["mounts"].append(
        {"destination": "/x", "type": "tmpfs", "source": "x", "options": ["bad=1"]}
    )
    runtime.refusal("create", name, env=BARE)
    (trace,) = kept(name)
    check_tree(trace)
    assert named(trace, "minirt create").error == "EINVAL"
    assert named(trace, "mounts.enter").error == "EINVAL"
    assert not named(trace, "uts.enter").error
    assert not any(span.name == "container" for span in trace.spans)


def test_a_failure_of_start_is_in_the_trace(
    runtime: oci.Runtime, name: str, tmp_path: Path
) -> None:
    program = runtime.bundle / "rootfs/program"
    program.write_text("#!/nowhere\n")
    program.chmod(0o755)
    runtime.config["process"]["args"] = ["/program"]
    runtime.create(name, tmp_path / "output")
    assert runtime.call("start", name, env=BARE).returncode == 1
    runtime.must("delete", "--force", name, env=BARE)
    (trace,) = kept(name)
    check_tree(trace)
    assert named(trace, "exec").error == "ENOENT"
    assert named(trace, "minirt start").error == "CommandError"
    assert re.search("minirt start ✗ not found +host", minirt("show", "--container", name).stdout)


def test_a_wrong_id_makes_no_file(runtime: oci.Runtime) -> None:
    before = set(os.listdir(spool.directory())) if os.path.isdir(spool.directory()) else set()
    runtime.refusal("create", "../x", env={"MINIRT_TRACE": str(runtime.bundle)})
    after = set(os.listdir(spool.directory())) if os.path.isdir(spool.directory()) else set()
    assert before == after
    assert not list(runtime.bundle.parent.glob("x*"))


LOADED = """
import os, runpy, sys
sys.path.insert(0, sys.argv.pop(1))
sys.argv[:] = sys.argv[1:]
real = os._exit
def leave(status):
    words = ("telemetry", "spans", "trac")
    names = sorted(m for m in sys.modules if any(word in m for word in words))
    os.write(2, (" ".join(names) + "\\n").encode())
    real(status)
os._exit = leave
runpy.run_module("minirt.oci", run_name="__main__")
"""


def test_off_nothing_more_is_loaded_or_written(
    runtime: oci.Runtime, name: str, tmp_path: Path
) -> None:
    runtime.config["annotations"] = {"other": "on"}
    runtime.program = [sys.executable, "-IS", "-c", LOADED, str(ROOT), "minirt-oci"]
    with (tmp_path / "stderr").open("w") as file:
        runtime.must("create", name, env=BARE, capture_output=False, stdout=file, stderr=file)
    state = runtime.root / name
    assert "trace" not in json.loads((state / "state.json").read_text())
    assert sorted(path.name for path in state.iterdir()) == [
        "config.json",
        "lock",
        "start",
        "state.json",
    ]
    loaded = (tmp_path / "stderr").read_text()
    for words in (("start", name), ("exec", name, "true"), ("kill", name, "KILL"),
                  ("delete", "--force", name)):  # fmt: skip
        loaded += runtime.call(*words, env=BARE).stderr
    assert set(loaded.splitlines()) == {"minirt.untraced"}
    assert not spool.find(name)
    runtime.config["annotations"] = ON
    runtime.config["process"]["args"] = ["true"]
    assert "minirt.oci.tracing" in runtime.call("run", name, env=BARE).stderr


def test_it_is_shown_while_it_runs_and_when_it_is_gone(
    runtime: oci.Runtime, name: str, tmp_path: Path
) -> None:
    runtime.start(name, tmp_path / "output")
    shown = minirt("show", "--container", name[:-2])
    assert re.search("^├─ container|^└─ container", shown.stdout, re.MULTILINE)
    assert "has not been seen to end" in shown.stdout
    runtime.must("delete", "--force", name, env=BARE)
    shown = minirt("show", "--container", name[:-2])
    assert "minirt delete" in shown.stdout
    assert "has not been seen to end" not in shown.stdout
    page = minirt("html", "--container", name[:-2]).stdout
    assert "<svg" in page
    assert f"<title>container {name}: minirt trace</title>" in page
    assert f"<h1>container {name}</h1>" in page
    assert f'"name":"container {name}"' in minirt("chrome", "--container", name).stdout


def test_what_cannot_be_shown_is_explained(runtime: oci.Runtime, name: str, tmp_path: Path) -> None:
    runtime.config["process"]["args"] = ["true"]
    for suffix in ("-a", "-b"):
        runtime.must("run", f"{name}{suffix}", env=BARE)
    two = minirt("show", "--container", name, wanted=125).stderr
    assert f"{name}-a, {name}-b" in two
    assert "minirt run" in minirt("show", "--container", f"{name}-a").stdout
    none = minirt("show", "--container", f"{name}-c", wanted=125).stderr
    assert "no trace is kept" in none
    assert "podman inspect --format '{{.Id}}' NAME" in none
    assert "minirt.dev/trace" in none
    runtime.config["annotations"] = {}
    runtime.root = Path(state_root.of_engines())
    runtime.create(f"{name}-off", tmp_path / "output")
    told = minirt("show", "--container", f"{name}-o", wanted=125).stderr
    runtime.must("delete", "--force", f"{name}-off", env=BARE)
    assert f"container {name}-off has no trace" in told
    assert "annotate it" in told


def test_a_wish_for_a_trace_that_is_not_kept_has_another_hint(
    runtime: oci.Runtime, name: str, tmp_path: Path
) -> None:
    runtime.root = Path(state_root.of_engines())
    runtime.config["annotations"]["minirt.dev/traceparent"] = CALLER.removesuffix("01") + "00"
    runtime.create(name, tmp_path / "output")
    unsampled = minirt("show", "--container", name, wanted=125).stderr
    runtime.must("delete", "--force", name, env=BARE)
    del runtime.config["annotations"]["minirt.dev/traceparent"]
    runtime.create(name, tmp_path / "output")
    for path in spool.find(name)[name]:
        os.unlink(path)
    removed = minirt("show", "--container", name, wanted=125).stderr
    runtime.must("delete", "--force", name, env=BARE)
    assert "not sampled" in unsampled
    assert "not kept any more" in removed
    assert "annotate it" not in unsampled + removed


def minirt(*words: str, wanted: int = 0, **environ: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-I", "-m", "minirt", "trace", *words],
        capture_output=True, text=True, check=False, timeout=60,
        env={"PATH": os.environ["PATH"], **environ},
    )  # fmt: skip
    assert done.returncode == wanted, done.stderr
    return done


class Collector:
    """A receiver of OTLP over HTTP; each request's body, its Authorization header."""

    def __init__(self) -> None:
        self.requests: list[tuple[bytes, str]] = []
        self.came = threading.Condition()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.end_headers()
                with collector.came:
                    collector.requests.append((body, self.headers.get("authorization", "")))
                    collector.came.notify()

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait_for(self, count: int) -> None:
        with self.came:
            assert self.came.wait_for(lambda: len(self.requests) >= count, SENT_S), "nothing came"


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.server.shutdown()
    made.server.server_close()


def spans_of(body: bytes) -> tuple[dict[str, str], dict[str, bytes]]:
    """What the official reader finds: the resource, and the trace id of each span's name."""
    request = ExportTraceServiceRequest.FromString(body)
    (group,) = request.resource_spans
    resource = {a.key: a.value.string_value for a in group.resource.attributes}
    return resource, {span.name: span.trace_id for span in group.scope_spans[0].spans}


def test_each_call_is_sent_to_the_collector_that_create_knew(
    runtime: oci.Runtime, name: str, collector: Collector, tmp_path: Path
) -> None:
    """As an engine's shim inherits it; the calls after that have nothing in their environment."""
    del runtime.config["annotations"]
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_EXPORTER_OTLP_HEADERS": f"authorization={CANARY}",
        "OTEL_SERVICE_NAME": "containerd-shim-1234",
    }
    with (tmp_path / "output").open("w") as file:
        runtime.must("create", name, env=environ, capture_output=False, stdout=file, stderr=file)
    collector.wait_for(1)
    assert CANARY not in (runtime.root / name / "state.json").read_text()
    runtime.must("delete", "--force", name, env=BARE)
    collector.wait_for(2)
    (first, authorization), (second, none) = collector.requests
    assert (authorization, none) == (CANARY, "")
    resource, created = spans_of(first)
    assert resource["service.name"] == "minirt"
    _, deleted = spans_of(second)
    assert created["minirt create"] == deleted["minirt delete"]
    assert "uts.enter" in created


@pytest.mark.parametrize("address", ["http://u:p@127.0.0.1:9", "http://127.0.0.1:9/?key=k"])
def test_an_address_with_a_secret_in_it_is_not_remembered(
    runtime: oci.Runtime, name: str, tmp_path: Path, address: str
) -> None:
    with (tmp_path / "output").open("w") as file:
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": address}
        runtime.must("create", name, env=environ, capture_output=False, stdout=file, stderr=file)
    assert address not in (runtime.root / name / "state.json").read_text()
    runtime.must("delete", "--force", name, env=BARE)
    assert {span.name for span in kept(name)[0].spans} >= {"minirt create", "minirt delete"}
    wait_for_senders()


def test_a_collector_that_never_answers_holds_nothing(runtime: oci.Runtime, name: str) -> None:
    """Nor does the process that sends hold the output, which an engine reads to its end."""
    del runtime.config["annotations"]
    runtime.config["process"]["args"] = ["true"]
    with socket.create_server(("127.0.0.1", 0)) as hole:
        address = f"http://127.0.0.1:{hole.getsockname()[1]}"
        before = time.monotonic()
        runtime.must("run", name, env={"OTEL_EXPORTER_OTLP_ENDPOINT": address})
        assert time.monotonic() - before < send.LIMIT
        wait_for_senders()


def wait_for_senders() -> None:
    """Return when none of the processes that send is left; orphans become this one's."""
    deadline = time.monotonic() + SENT_S
    while any("minirt.telemetry.send" in command(pid) for pid in leaks.descendants()):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def test_what_cannot_be_written_is_a_warning(
    runtime: oci.Runtime, name: str, tmp_path: Path
) -> None:
    runtime.config["process"]["args"] = ["echo", "all is well"]
    os.mkfifo(tmp_path / "pipe")
    for target, said in (
        (tmp_path / "none/file", f"exported: {tmp_path}/none/file: No such file or directory"),
        (tmp_path / "pipe", "neither a file nor a directory"),
        (Path("/dev/full"), "neither a file nor a directory"),
    ):
        done = runtime.call("run", name, env={"MINIRT_TRACE": str(target)})
        assert (done.returncode, done.stdout) == (0, "all is well\n")
        assert said in done.stderr


@pytest.mark.parametrize("annotated", [False, True])
def test_a_word_that_is_none_names_no_file(
    runtime: oci.Runtime, name: str, *, annotated: bool
) -> None:
    """It would be one in whatever directory the engine has."""
    runtime.config["annotations"] = dict(ON) if annotated else {}
    runtime.config["process"]["args"] = ["true"]
    done = runtime.call("run", name, env={"MINIRT_TRACE": "foo"})
    assert done.returncode == 0
    assert done.stderr.count("MINIRT_TRACE is neither") == 1
    assert not (runtime.bundle / "foo").exists()
    assert bool(spool.find(name)) is annotated


def test_a_secret_of_the_users_is_nowhere(
    runtime: oci.Runtime, name: str, collector: Collector, tmp_path: Path
) -> None:
    """In arguments, environment, annotations, mounts, hooks, host name and failures."""
    volume = tmp_path / CANARY
    volume.mkdir()
    hook = {"path": "/bin/true", "args": ["true", CANARY], "env": [f"SECRET={CANARY}"]}
    runtime.config |= {"hostname": CANARY, "hooks": {"prestart": [hook], "poststop": [hook]}}
    runtime.config["annotations"] |= {CANARY: CANARY, "minirt.dev/trace-inside": "on"}
    runtime.config["process"]["env"].append(f"SECRET={CANARY}")
    mount = {"destination": f"/{CANARY}", "type": "none", "source": str(volume)}
    runtime.config["mounts"].append({**mount, "options": ["bind"]})
    environ = {
        "OTHER": CANARY, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_EXPORTER_OTLP_HEADERS": f"x={CANARY}", "OTEL_RESOURCE_ATTRIBUTES": f"a={CANARY}",
    }  # fmt: skip
    with (tmp_path / "output").open("w") as file:
        runtime.must("create", name, env=environ, capture_output=False, stdout=file, stderr=file)
    runtime.must("start", name, env={"OTHER": CANARY})
    runtime.must("exec", "-e", f"A={CANARY}", name, "sh", "-c", f": {CANARY}", env=BARE)
    runtime.refusal("exec", name, f"/{CANARY}", env=BARE)
    runtime.refusal("exec", "--cwd", f"/{CANARY}/no", name, "true", env=BARE)
    runtime.must("delete", "--force", name, env={"OTHER": CANARY})
    runtime.config["mounts"][-1] |= {"type": "tmpfs", "source": CANARY, "options": [f"x={CANARY}"]}
    runtime.refusal("create", f"{name}-bad", env=environ)
    collector.wait_for(7)
    paths = [path for end in ("", "-bad") for path in spool.find(f"{name}{end}")[f"{name}{end}"]]
    texts = [Path(path).read_bytes() for path in paths]
    texts += [body for body, _ in collector.requests]
    for view in ("show", "html", "chrome"):
        texts.append(minirt(view, "--container", name).stdout.encode())
    assert len(texts) == 2 + 7 + 3
    for text in texts:
        assert len(text) > 500
        assert CANARY.encode() not in text


def test_exec_is_on_the_hosts_clock_in_a_time_namespace(
    runtime: oci.Runtime, name: str, tmp_path: Path
) -> None:
    runtime.config["annotations"] = ON
    runtime.config["linux"]["namespaces"].append({"type": "time"})
    runtime.config["linux"]["timeOffsets"] = {"monotonic": {"secs": 1000}}
    runtime.start(name, tmp_path / "output")
    runtime.must("exec", name, "true")
    runtime.must("delete", "--force", name)
    (trace,) = kept(name)
    whole = named(trace, "minirt exec")
    inside = [span for span in trace.spans if span.parent == whole.span_id]
    assert {"identity.seal", "exec"} <= {span.name for span in inside}
    for span in inside:
        assert whole.start <= span.start <= span.end <= whole.end, span.name
