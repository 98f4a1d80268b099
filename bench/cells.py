"""A results file by metric, subject and setting: what tables, charts and verdicts are made of.

Only this module knows the names of metrics and settings that the collector writes, and what is
assumed where a sample leaves a setting out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bench.words import fact_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from bench.samples import Results, Sample, Setting
    from bench.stats import Series

PROCESS = "process"
STEPS = ("step1", "step2", "step3", "step4", "step5", "step6")
# The order of all tables and charts: from the process to the most foreign of kernels.
ORDER = (
    PROCESS, *STEPS, "step4-none", "step5-none", "step6-none", "step6-none-compile", "warm",
    "minirt-oci", "crun", "crun-nocgroup", "runc", "bwrap", "podman", "docker", "lxc", "microvm",
    "microvm-tap", "q35", "uml",
)  # fmt: skip
VMS = frozenset({"microvm", "microvm-tap", "q35", "uml"})
AGAIN = "-again"  # NAME-again is NAME a second time: an A/A pair
DEFAULTS: dict[str, Setting] = {
    "start": {"gap_s": 0},
    "memory": {"instances": 1},
    "starts": {"at_once": 1},
}
OCI = "oci"  # the suite that calls runtimes as engines do
TELLING = 10  # instances of which the growth of the kernel's memory tells something
NOT_PLAN = frozenset({"kind", "schema", "machine", "subjects", "plan"})
# Of subjects whose header says nothing: those with a network of their own say so in their note.
NONE, BRIDGE = "none", "bridge"
NETWORKS = {NONE: "without a network", BRIDGE: "with a bridged network"}
NOT_TRIED = "no sample, and the file says nothing why"


class Cells:
    """The samples of one file, found by metric, subject and setting."""

    def __init__(self, results: Results) -> None:
        self.header = results.header
        self._by: dict[tuple[str, str], list[Sample]] = {}
        self.results = replace(results, samples=[_usual(s) for s in results.samples])
        for sample in self.results.samples:
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
        return [(s.round, s.value) for s in self.exact_samples(metric, subject, wanted)]

    def exact_samples(self, metric: str, subject: str, wanted: Setting) -> list[Sample]:
        return [s for s in self._by.get((metric, subject), []) if setting(s) == wanted]

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

    def network(self, subject: str) -> str:
        """BRIDGE for a network of its own that reaches the host, else NONE."""
        told = self._about(subject).get("network") or ("bridge" in self.note(subject) and BRIDGE)
        return BRIDGE if told in (BRIDGE, "tap") else NONE

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

    def suite(self) -> str:
        """What was measured together (suites.py); files from before there were two say nothing."""
        return str(self.header.get("suite") or "")

    def main(self) -> str:
        """The metric that all subjects have."""
        return "oci-run" if self.suite() == OCI else "start"

    def machine(self) -> dict[str, Any]:
        return _mapping(self.header.get("machine"))

    def load(self) -> float:
        """The greater of the last minute's loads before and after the run; 0 when not told."""
        told = (facts.get("load") for facts in (self.machine(), self.results.footer))
        loads = [load[0] for load in told if isinstance(load, list) and load]
        return max((float(load) for load in loads if isinstance(load, (int, float))), default=0.0)

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

    def reasons(self, metric: str) -> list[str]:
        """Why nobody has a sample of the metric; none where somebody has."""
        if self.subjects(metric):
            return []
        return list(dict.fromkeys(a.why for a in self.results.absent if a.metric == metric))

    def of_metric(self, metric: str) -> list[Sample]:
        return [sample for sample in self.results.samples if sample.metric == metric]

    def disturbed(self) -> int:
        return sum(sample.disturbed for sample in self.results.samples)

    def _described(self) -> dict[str, Any]:
        return _mapping(self.header.get("subjects"))

    def _about(self, subject: str) -> dict[str, Any]:
        return _mapping(self._described().get(subject))


def counted(metric: str, unit: str) -> bool:
    """Whether values are exact, such as the size of an image, rather than samples."""
    return metric == "disk" and unit == "bytes"


def _usual(sample: Sample) -> Sample:
    """Memory is that of processes; the kernel's, a whole machine's growth, is apart or unknown.

    Files from before there was `private` have the sum, and a growth that others' work can turn
    negative: that is no memory, and of few instances it is noise.
    """
    detail = sample.detail
    pss, kernel = detail.get("pss"), detail.get("kernel")
    if sample.metric != "memory" or "private" in detail or not isinstance(pss, (int, float)):
        return sample
    many = float(sample.setting.get("instances", 1)) >= TELLING
    told = kernel if many and isinstance(kernel, (int, float)) and kernel > 0 else None
    counted_as = {**sample.setting, "counted": "pss"}  # never compared with what is counted now
    return replace(sample, value=float(pss), setting=counted_as, detail={**detail, "kernel": told})


def setting(sample: Sample) -> Setting:
    """The sample's setting, with what goes without saying."""
    return {**DEFAULTS.get(sample.metric, {}), **sample.setting}


def in_order(subjects: Iterable[str]) -> list[str]:
    return sorted(subjects, key=_rank)


def _rank(subject: str) -> tuple[int, str]:
    name = subject.removesuffix(AGAIN)
    return ORDER.index(name) if name in ORDER else len(ORDER), subject


def _numbers(of: Setting) -> list[tuple[str, float]]:
    return [(name, v) for name, v in of.items() if isinstance(v, (int, float))]


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
