"""What is measured, one file a metric; metric.py says what a metric is.

A new one is a file, a line in ALL or in OCI, and a heading in the report.
"""

from bench.metrics.cpu import Cpu
from bench.metrics.density import Density
from bench.metrics.disk import Disk
from bench.metrics.memory import Memory
from bench.metrics.metric import Metric
from bench.metrics.network import Network
from bench.metrics.oci_crowd import OciCrowd
from bench.metrics.oci_exec import OciExec
from bench.metrics.oci_life import OciLife
from bench.metrics.oci_run import OciRun
from bench.metrics.oci_waiting import OciWaiting
from bench.metrics.phases import Phases
from bench.metrics.start import Start
from bench.metrics.starts import Starts
from bench.metrics.tracing import Tracing

# In the order in which they are measured.
ALL: tuple[Metric, ...] = (
    Start(), Phases(), Tracing(), Starts(), Memory(), Cpu(), Disk(), Network(), Density(),
)  # fmt: skip
# Of runtimes as engines call them.
OCI: tuple[Metric, ...] = (OciRun(), OciLife(), OciExec(), OciWaiting(), OciCrowd())

__all__ = ["ALL", "OCI", "Metric"]
