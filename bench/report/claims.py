"""What everyone says of containers and VMs, and what this machine says to it.

A claim is judged by one pair, the same in the whole report, with equal networks. Against a VM whose
processor was emulated nothing is judged but what is counted, such as bytes on a disk.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench import findings, units
from bench.cells import NETWORKS, counted
from bench.report.reasons import lacking, unrated
from bench.table import Table
from bench.words import setting_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.cells import Cells
    from bench.findings import Finding
    from bench.samples import Setting
    from bench.stats import Interval

HELD, PARTLY, REFUTED, OPEN, UNMEASURED, EMULATED = (
    "held", "held in part", "not held", "inconclusive", "not measured",
    "not measured (no usable KVM)",
)  # fmt: skip
EMULATOR = (
    "The VM's processor was emulated (TCG, no usable KVM): its figures are the emulator's, and say "
    "nothing of virtualisation."
)


@dataclass(frozen=True)
class Measure:
    """What a claim is judged by: a metric, in one setting or in each (`every`)."""

    metric: str
    words: str
    wanted: Setting = field(default_factory=dict)
    detail: str = ""  # a number of the samples' details instead of their value, in seconds
    every: bool = False


@dataclass(frozen=True)
class Claim:
    name: str
    says: str
    measures: Sequence[Measure]


@dataclass(frozen=True)
class Verdict:
    """`word` is one of the six; `lines` are the measures of the pair that stands for all.

    `who` names that pair; "" when nothing was measured, and then `lines` say why.
    """

    claim: Claim
    word: str
    who: str
    lines: Sequence[str]
    caveat: str = ""
    pairs: Table | None = None


CLAIMS = (
    Claim("Faster start", "Containers start faster than VMs.", (
        Measure("start", "from request to exit"),
        Measure("start", "from request to the first line of the program", detail="first_s"),
    )),
    Claim("Less memory", "A container's processes take less memory than a VM's.", (
        Measure("memory", "memory of one instance", {"instances": 1}),
    )),
    Claim("Less disk", "A container takes less disk than a VM.", (
        Measure("disk", "what a first start needs on the disk", {"what": "first-start"}),
        Measure("disk", "writable layer", {"what": "writable"}),
    )),
    Claim("Less CPU", "The same work takes less processor time in a container.", (
        Measure("cpu", "processor time of fixed work", detail="cpu_s", every=True),
    )),
    Claim("Denser packing", "More containers than VMs fit in the same memory.", (
        Measure("density", "instances until the memory is used up"),
    )),
    Claim("CPU of a start", "Starting a container takes less processor time than a VM.", (
        Measure("start", "of its own processes", detail="cpu_s"),
        Measure("start", "of the whole machine, the kernel's own work too", detail="system_cpu_s"),
    )),
    Claim("Faster scale-out", "A burst of containers starts at a higher rate than one of VMs.", (
        Measure("starts", "rate of a burst"),
    )),
)  # fmt: skip


def verdicts(cells: Cells) -> list[Verdict]:
    return [judge(cells, claim) for claim in CLAIMS]


def judge(cells: Cells, claim: Claim) -> Verdict:
    """The verdict of those who stand for all; all other pairs are listed beside it."""
    container, machine = findings.standing(cells)
    per_measure = [(m, _findings(cells, m, container, machine)) for m in claim.measures]
    found = [(m, each) for m, those in per_measure for each in those]
    missing = [_missing(cells, m, container, machine) for m, those in per_measure if not those]
    pairs = _pairs(cells, claim.measures)
    who = _who(cells, container, machine) if container and machine else ""
    if not found:
        lines = list(dict.fromkeys(line for each in missing for line in each))
        return Verdict(claim, UNMEASURED, who, lines, pairs=pairs)
    emulated = any(_emulated(cells, m, each) for m, each in found)
    say = _factor if emulated else _better
    lines = [f"{_what(measure, each)}: {say(each)}" for measure, each in found]
    lines += [line for each in missing for line in each]
    word = EMULATED if emulated else _word([each for _, each in found], whole=not missing)
    return Verdict(claim, word, who, lines, EMULATOR if emulated else "", pairs)


def _emulated(cells: Cells, measure: Measure, found: Finding) -> bool:
    return cells.emulated(found.b) and not counted(measure.metric, found.unit)


def _word(found: Sequence[Finding], *, whole: bool) -> str:
    """Held, or not, when every measure of the claim was taken and says so."""
    held = sum(each.advantage.known and each.advantage.low > 1 for each in found)
    refuted = sum(_refutes(each.advantage) for each in found)
    if held == len(found) and whole:
        return HELD
    if refuted == len(found) and whole:
        return REFUTED
    return PARTLY if held else OPEN


def _refutes(advantage: Interval) -> bool:
    """Shown to be a disadvantage; of things that are counted, to be none."""
    equal = advantage.low == advantage.high == 1
    return advantage.known and (advantage.high < 1 or equal)


def _findings(cells: Cells, measure: Measure, a: str, b: str) -> list[Finding]:
    metric = measure.metric
    if not a or not b or not findings.alike(cells, a, b):
        return []
    settings = (
        [s for s in cells.settings(metric) if findings.shared(cells, metric, a, b, s) == s]
        if measure.every
        else [findings.shared(cells, metric, a, b, measure.wanted)]
    )
    found = (_finding(cells, measure, a, b, setting) for setting in settings if setting is not None)
    return [each for each in found if each is not None]


def _finding(cells: Cells, measure: Measure, a: str, b: str, setting: Setting) -> Finding | None:
    if not measure.detail:
        return findings.between(cells, measure.metric, a, b, setting)
    one, other = (
        cells.of_detail(measure.metric, subject, setting, measure.detail) for subject in (a, b)
    )
    return findings.of_series(a, b, setting, "s", one, other)


def _who(cells: Cells, a: str, b: str) -> str:
    names = f"{findings.name(cells, a)} against {findings.name(cells, b)}"
    if findings.alike(cells, a, b):
        return f"{names}, both {NETWORKS[cells.network(a)]}"
    return f"{names}: not judged, one has a network and the other has none"


def _what(measure: Measure, found: Finding) -> str:
    where = setting_text(measure.metric, found.setting)
    return f"{measure.words} ({where})" if where and not measure.wanted else measure.words


def _factor(found: Finding) -> str:
    """An emulator's figure beside a container's, which says of neither that it is better."""
    return f"emulated VM / container = {units.ratio(found.ratio.inverse())}"


def _missing(cells: Cells, measure: Measure, container: str, machine: str) -> list[str]:
    if measure.metric == "density" and (text := unrated(cells, container, machine)):
        return [f"{measure.words}: {text}"]
    reasons = lacking(cells, measure.metric, measure.wanted, measure.detail)
    return [f"{measure.words}: not measured: {reason}" for reason in reasons]


def _better(found: Finding) -> str:
    advantage = found.advantage
    if not advantage.known:
        few = f"n = {advantage.n}, too few for an interval"
        return f"{units.three(advantage.value)} times better; {few}"
    if advantage.contains(1):
        return f"no difference shown, ratio {units.ratio(advantage)}"
    if advantage.value > 1:
        return f"{units.ratio(advantage)} times better"
    return f"{units.ratio(advantage.inverse())} times worse"


def _pairs(cells: Cells, measures: Sequence[Measure]) -> Table | None:
    rows = []
    for measure in measures:
        containers, machines = findings.sides(cells, measure.metric, measure.wanted)
        for a in containers:
            for b in machines:
                rows += [_pair(cells, measure, each) for each in _findings(cells, measure, a, b)]
    head = ("container", "VM", "measure", "advantage [95 %]", "resampled")
    caption = (
        "How many times better each container is than each VM of the same kind of network; below 1 "
        "the VM is. An emulated VM's rows are emulator figures."
    )
    return Table(caption, head, rows) if rows else None


def _pair(cells: Cells, measure: Measure, found: Finding) -> Sequence[str]:
    where = setting_text(measure.metric, found.setting)
    return (
        findings.name(cells, found.a),
        findings.name(cells, found.b),
        f"{measure.words}, {where}" if where else measure.words,
        units.ratio(found.advantage),
        "in the same rounds" if found.ratio.paired else "each for itself",
    )
