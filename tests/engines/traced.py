"""What runs in a container in these tests: a program with OpenTelemetry of its own.

It joins the trace that its environment names, and sends one span to the collector of argv.
"""

import os
import sys

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

caller = {name.lower(): os.environ[name] for name in ("TRACEPARENT",)}
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(sys.argv[1])))
tracer = provider.get_tracer("program")
context = TraceContextTextMapPropagator().extract(caller)
with tracer.start_as_current_span("work", context):
    print(os.getpid())
provider.shutdown()
