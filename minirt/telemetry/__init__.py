"""What becomes of a recorded trace: a file, a collector, a picture. Imported after the run."""

from __future__ import annotations

import os
import sys

from minirt.errors import MinirtError, plain
from minirt.telemetry import model, otlp_file, otlp_http

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TextIO

    from minirt.spans import Recorder
    from minirt.telemetry.model import Trace


def finish(recorder: Recorder, *, file: str = "", waterfall: TextIO | None = None) -> None:
    """Send the trace where OTEL_* say, write it to `file`, draw it on `waterfall`.

    Never waits for a collector, and never raises for one or for the file: what becomes of the
    trace does not change what became of the container. A trace that its caller does not sample
    (traceparent flags 00) is drawn, not exported.
    """
    sending = recorder.sampled and otlp_http.wanted(os.environ)
    writing = recorder.sampled and bool(file)
    if not (sending or writing or waterfall):
        return
    trace = model.from_recorder(recorder)
    try:
        if sending or writing:
            export(trace, [file] if writing else [], os.environ)
    except (OSError, MinirtError) as error:
        sys.stderr.write(f"minirt: warning: the trace was not exported: {plain(error)}\n")
    if waterfall is not None:
        from minirt.telemetry import waterfall as pictures

        try:
            pictures.draw([trace], waterfall)
        except OSError:  # nobody reads it any more
            pass


def export(trace: Trace, files: Iterable[str], environ: Mapping[str, str]) -> None:
    """Send the trace where OTEL_* of `environ` say, and append it to each of the files.

    Where one fails, the others get it all the same; then OSError, or MinirtError.
    """
    line = otlp_file.encode(trace)
    errors: list[OSError | MinirtError] = []
    try:
        if otlp_http.wanted(environ):
            otlp_http.check_address(environ)
            otlp_http.send_detached(line, environ)
    except (OSError, MinirtError) as error:
        errors.append(error)
    for file in files:
        try:
            otlp_file.append(file, line)
        except OSError as error:
            errors.append(error)
    if errors:
        raise errors[0]


def compare(recorders: Mapping[str, Recorder], out: TextIO) -> None:
    """Draw several invocations on one axis, each from its own start, under its title."""
    from minirt.telemetry import waterfall as pictures

    traces = [model.from_recorder(recorder) for recorder in recorders.values()]
    pictures.draw(traces, out, titles=list(recorders))
