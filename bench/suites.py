"""What is measured together, in one run with one report: subjects, metrics, and how many samples.

`containers` is what `make bench` measures: containers beside processes and VMs. `oci` is what
`make bench-oci` measures: minirt-oci beside other runtimes, called as engines call them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench import apart, metrics
from bench.subjects import bundle, catalog, driven
from bench.subjects.place import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bench.metrics import Metric
    from bench.subject import Subject


@dataclass(frozen=True)
class Suite:
    """`settle` is called before anything is started; its facts are for the plan of the run."""

    name: str
    metrics: tuple[Metric, ...]
    every: Callable[[Place], dict[str, Subject]]
    quick: tuple[str, ...]  # the subjects of a quick run
    samples: int
    settle: Callable[[], dict[str, object]] = dict

    @property
    def suffix(self) -> str:
        """What tells the files of the latest run from those of another suite."""
        return "" if self is CONTAINERS else f"-{self.name}"

    def choose_metrics(self, names: Iterable[str] | None) -> list[Metric]:
        """Those called `names`, all without any; ValueError names one that does not exist."""
        known = {metric.name: metric for metric in self.metrics}
        if names is None:
            return list(known.values())
        unknown = [name for name in names if name not in known]
        if unknown:
            raise ValueError(f"there is no metric {unknown[0]}: choose among {', '.join(known)}")
        return [known[name] for name in dict.fromkeys(names)]

    def choose(self, names: Iterable[str], place: Place) -> list[Subject]:
        return catalog.choose(names, place, self.every)

    def names(self, asked: list[str] | None, *, full: bool) -> list[str]:
        """The subjects asked for, else the usual ones, and one of them twice."""
        usual = self.every(Place()) if full else self.quick
        return catalog.with_pair(asked or usual)


def _settle_for_engines() -> dict[str, object]:
    return {"bundle": bundle.facts(), "mount_namespace": apart.enter()}


CONTAINERS = Suite("containers", metrics.ALL, catalog.every, catalog.QUICK, samples=30)
OCI = Suite(
    "oci",
    metrics.OCI,
    driven.every,
    tuple(driven.every(Place())),
    samples=60,
    settle=_settle_for_engines,
)
ALL = {suite.name: suite for suite in (CONTAINERS, OCI)}
