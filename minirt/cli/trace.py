"""`minirt trace`: look at recorded traces, send them, turn them into other formats."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from minirt.errors import ConfigError, HostError
from minirt.telemetry import life, otlp_file, waterfall

if TYPE_CHECKING:
    from collections.abc import Callable

    from minirt.telemetry.model import Trace

EXAMPLES = """examples:
  minirt trace show run.jsonl                    the newest trace of the file
  minirt trace show container.jsonl vm.jsonl     two files on one axis
  minirt trace html run.jsonl -o run.html        a page for a browser, needs nothing else
  minirt trace chrome run.jsonl -o run.json      for Perfetto, chrome://tracing, speedscope
  minirt trace export run.jsonl --endpoint http://127.0.0.1:4318/v1/traces
  sudo minirt trace show --container 4f6a        the life of an engine's container
"""
CONTAINERS = """With --container: the whole life of a container that an engine runs by minirt-oci,
from create to delete, also while it runs, and after it is gone. Its id may be abbreviated; its
name is known to the engine alone: podman inspect --format '{{.Id}}' NAME. Spans of the same trace
in FILE, such as the caller's and the program's own, join its tree.

examples:
  podman run -d --annotation minirt.dev/trace=on IMAGE       switch it on for one container
  sudo minirt trace show --container 4f6a                    what has become of it so far
  sudo minirt trace show --container 4f6a program.jsonl      with the program's own spans
  sudo minirt trace html --container 4f6a -o life.html

To switch it on for all containers of an engine: MINIRT_TRACE=on in its environment.
The newest 64 traces are kept, in memory: until a reboot, or `minirt gc --all`.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    show = _action(actions, "show", "draw the waterfall in the terminal", _show)
    export = _action(
        actions, "export", "send it to an OpenTelemetry collector (OTLP/HTTP)", _export
    )
    html = _action(actions, "html", "write one self-contained HTML page", _html)
    chrome = _action(actions, "chrome", "write Chrome's trace event format", _chrome)
    for action in (html, chrome):
        action.add_argument("-o", "--output", metavar="FILE", default="", help="default: stdout")
    export.add_argument(
        "--endpoint",
        metavar="URL",
        default="",
        help="the collector, with its path /v1/traces (default: OTEL_EXPORTER_OTLP_ENDPOINT)",
    )
    for action in (show, export, html, chrome):
        action.add_argument("files", metavar="FILE", nargs="*", help="OTLP JSON lines; - is stdin")
        action.add_argument("--container", metavar="ID", help="a container of an engine's")
        action.add_argument("--all", action="store_true", help="every trace, not just the newest")
        action.epilog = CONTAINERS
        action.formatter_class = argparse.RawDescriptionHelpFormatter


def run(arguments: argparse.Namespace) -> int:
    if arguments.container is None and not arguments.files:
        raise ConfigError("name a file, or --container ID", pointer="FILE")
    traces: list[Trace] = []
    if arguments.container is not None:
        traces = _lives(arguments)
    else:
        for name in arguments.files:
            found = _read(name)
            traces += found if arguments.all else found[-1:]
    if not any(trace.spans for trace in traces):
        raise ConfigError(
            "there is no trace in it", pointer=arguments.files[0], hint="record one with --trace"
        )
    arguments.act(arguments, traces)
    return 0


def _lives(arguments: argparse.Namespace) -> list[Trace]:
    """The newest life of a container, or all; each with what the files have of the same trace."""
    found = life.lives(arguments.container, every=arguments.all)
    others = [trace for name in arguments.files for trace in _read(name)]
    for one in found:
        life.join(one, others)
    return found


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    what: str,
    act: Callable[[argparse.Namespace, list[Trace]], None],
) -> argparse.ArgumentParser:
    action = actions.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
    action.set_defaults(act=act)
    return action


def _read(name: str) -> list[Trace]:
    if name == "-":
        return otlp_file.read(sys.stdin, "stdin")
    try:
        with open(name, encoding="utf-8", errors="replace") as file:
            return otlp_file.read(file, name)
    except OSError as error:
        raise ConfigError(
            f"the trace cannot be read: {error.strerror}", pointer=name, hint="check the path"
        ) from None


def _titles(arguments: argparse.Namespace, traces: list[Trace]) -> list[str]:
    """The files' names, where there is one trace from each of several."""
    several = len(arguments.files) == len(traces) > 1
    return [os.path.basename(name) for name in arguments.files] if several else []


def _headings(arguments: argparse.Namespace, traces: list[Trace]) -> list[str]:
    """The containers whose lives they are, else the files' names."""
    if arguments.container is None:
        return _titles(arguments, traces)
    titles = [life.title(trace) for trace in traces]
    several = len(titles) > 1
    return [f"{title}, life {n}" if several else title for n, title in enumerate(titles, 1)]


def _show(arguments: argparse.Namespace, traces: list[Trace]) -> None:
    titles = _titles(arguments, traces) or [trace.trace_id for trace in traces]
    waterfall.draw(traces, sys.stdout, titles=titles if len(traces) > 1 else ())
    if any(life.runs(trace) for trace in traces):
        sys.stdout.write("the program has not been seen to end: it is drawn up to now\n")


def _export(arguments: argparse.Namespace, traces: list[Trace]) -> None:
    from minirt.telemetry.otlp_http import wanted
    from minirt.telemetry.send import send

    if not arguments.endpoint and not wanted(os.environ):
        raise HostError(
            "no collector is named",
            hint="give --endpoint http://HOST:4318/v1/traces, or set OTEL_EXPORTER_OTLP_ENDPOINT",
        )
    for trace in traces:
        send(trace, arguments.endpoint)
        sys.stdout.write(f"sent {len(trace.spans)} spans of trace {trace.trace_id}\n")


def _html(arguments: argparse.Namespace, traces: list[Trace]) -> None:
    from minirt.telemetry.html import page

    _write(arguments.output, page(traces, titles=_headings(arguments, traces)))


def _chrome(arguments: argparse.Namespace, traces: list[Trace]) -> None:
    from minirt.telemetry.chrome import chrome

    _write(arguments.output, chrome(traces, titles=_headings(arguments, traces)))


def _write(output: str, text: str) -> None:
    if not output:
        sys.stdout.write(text)
        return
    try:
        with open(output, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise HostError(
            f"{output} cannot be written: {error.strerror}", hint="choose another with -o"
        ) from None
