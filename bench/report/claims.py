"""What everyone says of containers and VMs, and what this machine says to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench import findings, units
from bench.cells import counted, setting_text
from bench.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.cells import Cells
    from bench.findings import Finding
    from bench.samples import Setting
    from bench.stats import Interval

HELD, PARTLY, REFUTED, OPEN, UNMEASURED = (
    "held", "held in part", "not held", "inconclusive", "not measured",
)  # fmt: skip
EMULATOR = (
    "The VM's processor was emulated (TCG, no KVM): this measures the emulator, not virtualisation."
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
    """`word` is one of the five; `lines` are the measures of the pair that stands for all.

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
    Claim("Less memory", "A container takes less memory than a VM.", (
        Measure("memory", "memory of one instance", {"instances": 1}),
    )),
    Claim("Less disk", "A container takes less disk than a VM.", (
        Measure("disk", "size of the image", {"what": "image"}),
        Measure("disk", "writable layer", {"what": "writable"}),
    )),
    Claim("Less CPU", "The same work takes less processor time in a container.", (
        Measure("cpu", "time for fixed work", every=True),
    )),
    Claim("Denser packing", "More containers than VMs fit on a machine.", (
        Measure("density", "instances until the limit"),
    )),
    Claim("Better utilisation", "Less of the machine goes to something else than programs.", (
        Measure("start", "processor time that a start takes", detail="cpu_s"),
        Measure("memory", "memory of each of the most instances that both ran"),
    )),
    Claim("Faster scale-out", "More containers than VMs can be started a second.", (
        Measure("starts", "starts a second"),
    )),
)  # fmt: skip


def verdicts(cells: Cells) -> list[Verdict]:
    return [judge(cells, claim) for claim in CLAIMS]


def judge(cells: Cells, claim: Claim) -> Verdict:
    """The verdict of the representatives; all other pairs are listed beside it."""
    found = [(m, each) for m in claim.measures for each in _representative(cells, m)]
    if not found:
        return Verdict(claim, UNMEASURED, "", _why(cells, claim.measures))
    word = _word([each for _, each in found])
    first = found[0][1]
    lines = [_line(cells, measure, each, first) for measure, each in found]
    timed = any(cells.emulated(each.b) for m, each in found if not counted(m.metric, each.unit))
    return Verdict(
        claim, word, _who(cells, first), lines, EMULATOR if timed else "",
        _pairs(cells, claim.measures),
    )  # fmt: skip


def _word(found: Sequence[Finding]) -> str:
    """Held when nothing speaks against it, and what is not shown is not counted for it."""
    held = sum(each.advantage.known and each.advantage.low > 1 for each in found)
    refuted = sum(_refutes(each.advantage) for each in found)
    if held == len(found):
        return HELD
    if refuted == len(found):
        return REFUTED
    return PARTLY if held else REFUTED if refuted else OPEN


def _refutes(advantage: Interval) -> bool:
    """Shown to be a disadvantage; of things that are counted, to be none."""
    equal = advantage.low == advantage.high == 1
    return advantage.known and (advantage.high < 1 or equal)


def _representative(cells: Cells, measure: Measure) -> list[Finding]:
    containers, machines = findings.sides(cells, measure.metric, measure.wanted)
    for container in containers:
        for machine in machines:
            found = _findings(cells, measure, container, machine)
            if found:
                return found
    return []


def _findings(cells: Cells, measure: Measure, a: str, b: str) -> list[Finding]:
    metric = measure.metric
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


def _who(cells: Cells, found: Finding) -> str:
    return f"{findings.name(cells, found.a)} against {findings.name(cells, found.b)}"


def _line(cells: Cells, measure: Measure, found: Finding, first: Finding) -> str:
    """One measure; its pair is named where it is another than the first one's."""
    where = setting_text(measure.metric, found.setting)
    what = f"{measure.words} ({where})" if where and not measure.wanted else measure.words
    same = (found.a, found.b) == (first.a, first.b)
    return f"{what}: {_better(found)}" + ("" if same else f", {_who(cells, found)}")


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
    caption = "How many times better each container is than each VM; below 1 the VM is"
    return Table(caption, head, rows) if rows else None


def _pair(cells: Cells, measure: Measure, found: Finding) -> Sequence[str]:
    where = setting_text(measure.metric, found.setting)
    return (
        findings.name(cells, found.a),
        findings.name(cells, found.b),
        f"{measure.words}, {where}" if where else measure.words,
        units.ratio(found.advantage),
        "pairs of a round" if found.ratio.paired else "each for itself",
    )


def _why(cells: Cells, measures: Sequence[Measure]) -> list[str]:
    """Which side each measure lacks, and the reasons that the file gives."""
    lines = []
    for measure in measures:
        sides = findings.sides(cells, measure.metric, measure.wanted)
        lacking = [f for f, side in zip(("container", "vm"), sides, strict=True) if not side]
        reasons = [line for family in lacking for line in _reasons(cells, family, measure.metric)]
        lines += reasons or [f"{measure.words}: no container and VM have it in the same setting"]
    return list(dict.fromkeys(lines))


def _reasons(cells: Cells, family: str, metric: str) -> list[str]:
    """A line for each reason, with all whom it holds for."""
    holders: dict[str, list[str]] = {}
    for subject in cells.known():
        if cells.family(subject) == family:
            holders.setdefault(cells.why(subject, metric), []).append(cells.label(subject))
    who = "VM" if family == "vm" else family
    named = [f"{'; '.join(labels)}: {reason}" for reason, labels in holders.items()]
    return named or [f"the file names no {who}"]
