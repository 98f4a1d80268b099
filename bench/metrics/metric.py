"""What a metric is, and what it takes of a subject."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from bench.samples import Setting
    from bench.subject import Run, Subject


# Long enough for the kernel to fall idle: joining a cgroup then waits for it (RCU).
IDLE_S = 0.06


@dataclass(frozen=True)
class Reading:
    """One value of a measurement. `setting` is added to the cell's: what varies inside of it."""

    value: float
    unit: str
    detail: dict[str, Any] = field(default_factory=dict)
    setting: Setting = field(default_factory=dict)


class Metric(Protocol):
    """Something that is measured of a subject in one or several settings.

    Before each sample the schedule sleeps for the setting's `gap_s`, and where that says nothing of
    a gap for IDLE_S. `seconds` are the time budgets
    of the metric, quick and full; samples are cut to fit them, but never below `least`.
    """

    name: str  # in samples and on the command line
    title: str  # for people
    seconds: tuple[float, float]
    least: int

    def settings(self, *, full: bool) -> Sequence[Setting]:
        """The settings in which each subject is measured."""

    def about(self, subject: Subject, setting: Setting, *, full: bool) -> bool:
        """Whether it applies to this subject."""

    def take(self, subject: Subject, setting: Setting) -> list[Reading]:
        """Measure once; an error of minirt's says why that was not possible."""


def times(run: Run) -> dict[str, Any]:
    """A run's other times, as detail of a sample: seconds since the request."""
    detail: dict[str, Any] = {"first_s": (run.first - run.began) / 1e9}
    if run.cpu_s is not None:
        detail["cpu_s"] = run.cpu_s
    if run.retries:
        detail["retries"] = run.retries
    if run.phases:
        detail["phases"] = {
            name: [(start - run.began) / 1e9, (end - run.began) / 1e9]
            for name, (start, end) in run.phases.items()
        }
    return detail


def total(run: Run) -> float:
    """Seconds from the request to the end."""
    return (run.ended - run.began) / 1e9
