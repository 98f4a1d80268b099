"""What is measured, one file a metric; metric.py says what a metric is.

A new one is a file, a line in ALL, and a heading in the report.
"""

from bench.metrics.metric import Metric
from bench.metrics.phases import Phases
from bench.metrics.start import Start
from bench.metrics.starts import Starts
from bench.metrics.tracing import Tracing

# In the order in which they are measured.
ALL: tuple[Metric, ...] = (Start(), Phases(), Tracing(), Starts())

__all__ = ["ALL", "Metric"]
