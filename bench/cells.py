"""A results file by metric, subject and setting: what tables, charts and verdicts are made of.

Only this module knows the names of metrics and settings that the collector writes, and what is
assumed where a sample leaves a setting out.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bench import samples

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import Any

    from bench.samples import Results, Sample, Setting
    from bench.stats import Series

PROCESS = "process"
STEPS = ("step1", "step2", "step3", "step4", "step5", "step6")
# The order of all tables and charts: from the process to the most foreign of kernels.
ORDER = (
    PROCESS, *STEPS, "step4-none", "step5-none", "step6-none", "warm", "crun", "crun-nocgroup",
    "runc", "bwrap", "podman", "docker", "lxc", "microvm", "q35", "uml",
)  # fmt: skip
VMS = frozenset({"microvm", "q35", "uml"})
AGAIN = "-again"  # NAME-again is NAME a second time: an A/A pair
DEFAULTS: dict[str, Setting] = {
    "start": {"gap_s": 0, "cache": "warm"},
    "memory": {"instances": 1},
    "starts": {"at_once": 1},
}
NOT_PLAN = frozenset({"kind", "schema", "machine", "subjects", "plan"})
NOT_TRIED = "no sample, and the file says nothing why"


class Cells:
    """The samples of one file, found by metric, subject and setting."""

    def __init__(self, results: Results) -> None:
        self.results = results
        self.header = results.header
        self._by: dict[tuple[str, str], list[Sample]] = {}
        for sample in results.samples:
            self._by.setdefault((sample.metric, sample.subject), []).append(sample)

    def samples(self, metric: str, subject: str, wanted: Setting | None = None) -> list[Sample]:
        """Those whose setting has at least what is wanted."""
        return [
            sample
            for sample in self._by.get((metric, subject), [])
            if (wanted or {}).items() <= setting(sample).items()
        ]

    def series(self, metric: str, subject: str, wanted: Setting | None = None) -> Series:
        return [(s.round, s.value) for s in self.samples(metric, subject, wanted)]

    def exact(self, metric: str, subject: str, wanted: Setting) -> Series:
        """Those whose setting is what is wanted and nothing else."""
        own = self._by.get((metric, subject), [])
        return [(s.round, s.value) for s in own if setting(s) == wanted]

    def of_detail(self, metric: str, subject: str, wanted: Setting, name: str) -> Series:
        """A number of the samples' details, of those samples that have it."""
        found = [(s.round, s.detail.get(name)) for s in self.samples(metric, subject, wanted)]
        return [(r, float(v)) for r, v in found if isinstance(v, (int, float))]

    def subjects(self, metric: str = "", wanted: Setting | None = None) -> list[str]:
        """Who has samples of the metric, or of any, in the usual order."""
        return in_order(
            {
                subject
                for one, subject in self._by
                if metric in ("", one) and self.samples(one, subject, wanted)
            }
        )

    def settings(self, metric: str) -> list[Setting]:
        """All settings of a metric, in the order of the file, those with numbers sorted."""
        found: list[Setting] = []
        for sample in self.results.samples:
            if sample.metric == metric and setting(sample) not in found:
                found.append(setting(sample))
        return sorted(found, key=_numbers)

    def metrics(self) -> list[str]:
        return list(dict.fromkeys(sample.metric for sample in self.results.samples))

    def unit(self, metric: str, wanted: Setting | None = None) -> str:
        for sample in self.results.samples:
            if sample.metric == metric and (wanted or {}).items() <= setting(sample).items():
                return sample.unit
        return ""

    def known(self) -> list[str]:
        """Every subject that the file names: measured, planned or absent."""
        absent = {a.subject for a in self.results.absent}
        return in_order({*self._described(), *absent, *self.subjects()})

    def label(self, subject: str) -> str:
        return str(self._about(subject).get("label") or subject)

    def note(self, subject: str) -> str:
        return str(self._about(subject).get("note") or "")

    def family(self, subject: str) -> str:
        usual = "process" if subject == PROCESS else "vm" if subject in VMS else "container"
        return str(self._about(subject).get("family") or usual)

    def emulated(self, subject: str) -> bool:
        """Whether a VM's processor was emulated: a fact of the machine, not of virtualisation."""
        if self.family(subject) != "vm" or subject == "uml":
            return False
        words = f"{self.note(subject)} {self.accelerator()}".lower()
        return "emulat" in words or "tcg" in words

    def accelerator(self) -> str:
        return fact_text(self.machine().get("accelerator", ""))

    def machine(self) -> dict[str, Any]:
        return _mapping(self.header.get("machine"))

    def plan(self) -> dict[str, Any]:
        """What was to be measured, when and how often: all that the header has besides."""
        besides = {name: fact for name, fact in self.header.items() if name not in NOT_PLAN}
        return {**besides, **_mapping(self.header.get("plan"))}

    def twins(self) -> list[tuple[str, str]]:
        """The A/A pairs: a subject's name, and the name of the same subject again."""
        measured = self.subjects()
        again = [name for name in measured if name.endswith(AGAIN)]
        return [(name.removesuffix(AGAIN), name) for name in again]

    def why(self, subject: str, metric: str) -> str:
        """Why the subject has no sample of the metric; of any, when it is ""."""
        reasons = [a for a in self.results.absent if a.subject == subject]
        exact = [a.why for a in reasons if a.metric == metric]
        whole = [a.why for a in reasons if not a.metric]
        parts = [] if metric else [a.why for a in reasons]
        return next(iter([*exact, *whole, *parts]), NOT_TRIED)

    def disturbed(self) -> int:
        return sum(sample.disturbed for sample in self.results.samples)

    def _described(self) -> dict[str, Any]:
        return _mapping(self.header.get("subjects"))

    def _about(self, subject: str) -> dict[str, Any]:
        return _mapping(self._described().get(subject))


def load(path: Path) -> Cells:
    """A results file; ValueError, with a remedy, when it cannot be used."""
    try:
        results = samples.read(path)
        _check(path, results)
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from None
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path}: a record is not as bench/samples.py has it: {error}") from None
    except ValueError as error:
        raise ValueError(f"{error}; measure anew with make bench") from None
    return Cells(results)


def machine_words(of: Cells) -> list[str]:
    """The machine as a caption names it: its processor and its kernel."""
    machine = of.machine()
    found = [
        next((fact_text(machine[name]) for name in names if machine.get(name)), "")
        for names in (("cpu", "cpu_model", "model"), ("kernel", "release"))
    ]
    return [*filter(None, [found[0], f"kernel {found[1]}" if found[1] else ""])]


def counted(metric: str, unit: str) -> bool:
    """Whether values are exact, such as the size of an image, rather than samples."""
    return metric == "disk" and unit == "bytes"


def setting(sample: Sample) -> Setting:
    """The sample's setting, with what goes without saying."""
    return {**DEFAULTS.get(sample.metric, {}), **sample.setting}


def setting_text(metric: str, of: Setting) -> str:
    """A setting in words: "after 60 ms of idling, warm"."""
    words = []
    for name, value in of.items():
        if name == "gap_s" and metric:
            gap = f"after {float(value) * 1000:g} ms of idling"
            words.append(gap if float(value) else "back to back")
        elif name == "cache":
            words.append(f"{value} cache")
        elif name in ("what", "work", "trace"):
            words.append(str(value))
        else:
            what = name.replace("_", " ")
            words.append(f"{value} {what.removesuffix('s') if value == 1 else what}")
    return ", ".join(words)


def in_order(subjects: Iterable[str]) -> list[str]:
    return sorted(subjects, key=_rank)


def _rank(subject: str) -> tuple[int, str]:
    name = subject.removesuffix(AGAIN)
    return ORDER.index(name) if name in ORDER else len(ORDER), subject


def fact_text(fact: object) -> str:
    """A fact of the header, which may be nested, on one line."""
    if isinstance(fact, dict):
        return ", ".join(f"{name} {fact_text(value)}" for name, value in fact.items())
    if isinstance(fact, list):
        return ", ".join(fact_text(value) for value in fact)
    return "" if fact is None else str(fact)


def _numbers(of: Setting) -> list[tuple[str, float]]:
    return [(name, v) for name, v in of.items() if isinstance(v, (int, float))]


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _numeric(sample: Sample) -> bool:
    numbers: list[object] = [sample.value, sample.round]
    return all(isinstance(n, (int, float)) and math.isfinite(n) for n in numbers)


def _structured(sample: Sample) -> bool:
    return all(isinstance(part, dict) for part in (sample.setting, sample.detail))


def _check(path: Path, results: Results) -> None:
    for number, sample in enumerate(results.samples, 1):
        if not (_numeric(sample) and _structured(sample)):
            raise ValueError(
                f"{path}: sample {number}: value and round must be numbers,"
                " setting and detail objects"
            )
