"""Send one trace to the collector that OTEL_EXPORTER_OTLP_* name: the standard exporter.

`python -m minirt.telemetry.send` reads OTLP JSON from stdin; `minirt trace export` calls `send`.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
from typing import TYPE_CHECKING

from minirt import codec
from minirt.errors import HostError
from minirt.telemetry.otlp_file import decode

if TYPE_CHECKING:
    from minirt.telemetry.model import Trace

LIMIT = 2.0  # seconds to reach the collector; the detached process never takes more
START_LIMIT = 10.0  # and to import the exporter, on a machine under load
TIMEOUTS = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")


class Messages(logging.Handler):
    """Keeps what the exporter logs: that is the only place where it says why it failed."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())

    def reason(self) -> str:
        """The system's own words where there are any, else the first message."""
        first = self.texts[0] if self.texts else "no answer"
        system = re.search(r"\[Errno \d+\] ([\w ]+)", first)
        return system[1] if system else first


def send(trace: Trace, endpoint: str = "") -> None:
    """Export `trace` by OTLP over HTTP; HostError says why the collector did not take it."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import SpanExportResult

    from minirt.telemetry.replay import replay

    messages = Messages()
    logger = logging.getLogger("opentelemetry")
    logger.addHandler(messages)
    logger.propagate = False
    timeout = None if any(os.environ.get(name) for name in TIMEOUTS) else LIMIT
    exporter = OTLPSpanExporter(endpoint=endpoint or None, timeout=timeout)
    if exporter.export(replay(trace)) is not SpanExportResult.SUCCESS:
        raise HostError(
            f"the collector did not take the trace: {messages.reason()}",
            hint="check OTEL_EXPORTER_OTLP_ENDPOINT, or give --endpoint http://HOST:4318/v1/traces",
        )


def main() -> int:
    """Send what stdin holds and end, in time; nobody is there to be told of a failure."""
    signal.setitimer(signal.ITIMER_REAL, START_LIMIT)
    os.chdir("/")  # hold no directory of the caller's
    traces = decode(codec.loads(sys.stdin.read()))
    import opentelemetry.exporter.otlp.proto.http.trace_exporter  # noqa: F401  (not on the clock)

    signal.setitimer(signal.ITIMER_REAL, LIMIT)
    for trace in traces:
        send(trace)
    return 0


if __name__ == "__main__":
    sys.exit(main())
