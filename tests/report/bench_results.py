"""Results files with made-up samples, for the tests of everything that reads one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bench.cells import Cells
from bench.samples import Absent, Sample, Writer

if TYPE_CHECKING:
    from pathlib import Path

MACHINE = {
    "cpu": "Example <CPU>", "kernel": "6.18.0", "accelerator": "tcg", "load": [0.1, 0.2],
    "cores": 2, "minirt": {"revision": "a"},
}  # fmt: skip
SUBJECTS = {
    "process": {"label": "plain process", "family": "process", "note": ""},
    **{
        f"step{n}": {
            "label": f"minirt, step {n}",
            "family": "container",
            "note": "",
            "network": "bridge" if n > 3 else "none",
        }
        for n in range(1, 7)
    },
    "step6-none": {"label": "minirt, step 6, no network", "family": "container", "note": ""},
    "step6-none-again": {"label": "step 6, no network, again", "family": "container", "note": ""},
    "warm": {"label": "minirt, warm", "family": "container", "note": "no interpreter to start"},
    "runc": {"label": "runc", "family": "container", "note": "12 masked paths"},
    "crun": {"label": "crun", "family": "container", "note": ""},
    "podman": {"label": "podman", "family": "container", "note": ""},
    "docker": {"label": "docker", "family": "container", "note": ""},
    "microvm": {"label": "QEMU microvm", "family": "vm", "note": "emulated: no KVM here"},
    "uml": {"label": "User Mode Linux", "family": "vm", "note": ""},
}
START = {
    "process": 0.001, "step1": 0.016, "step2": 0.017, "step3": 0.0225, "step4": 0.156,
    "step5": 0.158, "step6": 0.160, "step6-none": 0.028, "step6-none-again": 0.028, "warm": 0.004,
    "runc": 0.030, "crun": 0.015, "podman": 0.45, "microvm": 2.4, "uml": 1.3,
}  # fmt: skip
MEMORY = {
    "process": 1e5,
    "step6": 9e6,
    "step6-none": 8e6,
    "runc": 2e6,
    "microvm": 2.3e8,
    "uml": 2.8e7,
}
SLOWER = {"process": 1, "step6": 1.01, "step6-none": 1.01, "runc": 1.0, "microvm": 2.6, "uml": 1.2}
GAPS = (0, 0.06)


def header(**changes: object) -> dict[str, object]:
    return {
        "machine": MACHINE, "subjects": SUBJECTS, "seed": 7, "started": "2026-01-02T03:04:05Z",
        "plan": {"rounds": 30, "warm_up": 3, "gaps_s": list(GAPS)}, **changes,
    }  # fmt: skip


def write(path: Path, *, finish: bool = True, slow: float = 1.0, seed: int = 3) -> Path:
    """A file with every metric; `slow` is a factor on all start-up times of runc."""
    with Writer(path, header()) as writer:
        rng = np.random.default_rng(seed)
        for record in [*starts(rng, slow), *loads(rng), *amounts(rng), *others(rng)]:
            writer.add(record)
        writer.add(Absent("docker", "no daemon answers at /var/run/docker.sock"))
        writer.add(Absent("microvm", "the guest's writable layer is in its memory", "disk"))
        writer.add(Absent("runc", "cannot hold 50 <here>", "density"))
        if finish:
            writer.finish(
                failures=[
                    {"subject": "runc", "metric": "start", "round": 7, "why": "it <was> busy"}
                ]
            )
    return path


def starts(rng: np.random.Generator, slow: float = 1.0) -> list[Sample]:
    found = []
    for gap in GAPS:
        for number in range(30):
            host = rng.lognormal(0, 0.1)
            for name, usual in START.items():
                if name in ("microvm", "uml") and number >= 10:
                    continue
                value = usual * host * rng.lognormal(0.02, 0.08)
                value *= slow if name == "runc" else 1
                found.append(
                    Sample(
                        "start", name, value, "s", number, {"gap_s": gap},
                        {"first_s": value * 0.8, "phases": phases(name, value),
                         "cpu_s": value * 0.9, "system_cpu_s": value},
                        disturbed=number == 4,
                    )
                )  # fmt: skip
    return found


def phases(name: str, total: float) -> dict[str, list[float]]:
    if name == "microvm":
        marks = ("spawn", "kernel", "init", "ready", "command", "shutdown")
    elif name.startswith("step"):
        marks = ("interpreter", "overlay.prepare", "clone3", "bridge.attach", "pivot.seal", "run")
    else:
        return {}
    share = total / len(marks)
    return {mark: [i * share, (i + 1) * share] for i, mark in enumerate(marks)}


def loads(rng: np.random.Generator) -> list[Sample]:
    found = []
    for number in range(12):
        for name, factor in SLOWER.items():
            for work in ("cpu", "interpreter", "memory", "syscalls", "switches"):
                more = 1 + (factor - 1) * (6 if work == "interpreter" else 1)
                value = 0.5 * more * rng.lognormal(0, 0.03)
                found.append(
                    Sample("cpu", name, value, "s", number, {"work": work}, {"cpu_s": value})
                )
            for what, unit, usual in (
                ("first-read", "s", 0.02), ("copy-up", "s", 0.004),
                ("sequential-read", "bytes/s", 2e9),
            ):  # fmt: skip
                value = usual * (factor if unit == "s" else 1 / factor)
                value *= rng.lognormal(0, 0.1)
                found.append(Sample("disk", name, value, unit, number, {"what": what}))
            if name in ("process", "step6", "microvm"):
                found += [
                    Sample("network", name, 5e-5 * factor * rng.lognormal(0, 0.1), "s",
                           number, {"what": "round-trip"}),
                    Sample("network", name, 4e9 / factor * rng.lognormal(0, 0.1), "bytes/s",
                           number, {"what": "throughput"}),
                ]  # fmt: skip
    return found


def amounts(rng: np.random.Generator) -> list[Sample]:
    found = []
    for name, size in MEMORY.items():
        for instances in (1, 10, 50):
            if name == "microvm" and instances == 50:
                continue
            for number in range(8):
                value = size * (1 + 1 / instances) / 2 * rng.lognormal(0, 0.02)
                found.append(
                    Sample("memory", name, value, "bytes", number, {"instances": instances})
                )
        if name in ("step6", "step6-none", "microvm"):
            fits = {"step6": 80.0, "step6-none": 90.0, "microvm": 4.0}[name]
            found += [
                Sample("density", name, fits, "instances", number, {"budget_mib": 512},
                       {"limit": "memory"})
                for number in range(6)
            ]  # fmt: skip
        for what in ("first-start", "image", "writable"):
            bytes_ = (5.3e7 if what == "first-start" else 1.1e7) if name == "microvm" else 2.7e6
            if (name, what) != ("microvm", "writable"):
                found.append(Sample("disk", name, bytes_, "bytes", 0, {"what": what}))
    return found


def others(rng: np.random.Generator) -> list[Sample]:
    found = []
    for number in range(10):
        for at_once in (1, 2, 4, 8, 16):
            for name in ("process", "step6", "step6-none", "runc", "crun", "microvm"):
                value = min(at_once, 3) / START[name] * rng.lognormal(0, 0.05)
                found.append(Sample("starts", name, value, "1/s", number, {"at_once": at_once}))
        total = START["step6"]
        spans = {
            "minirt run": [0, total],
            "clone3": [0.01, 0.02],
            "bridge.attach": [0.02, 0.15],
            "nat.attach": [0.15, 0.151],
        }
        for name in ("step6", "step6-none"):
            taken = total * (1 + number / 100)
            later = {
                phase: [at * (1 + number / 100) for at in span] for phase, span in spans.items()
            }
            found.append(Sample("phases", name, taken, "s", number, {}, {"phases": later}))
        for trace, factor in (("off", 1.0), ("on", 1.0), ("file", 1.05), ("kernel", 1.3)):
            value = 0.03 * factor * rng.lognormal(0, 0.06)
            found.append(Sample("tracing", "step6-none", value, "s", number, {"trace": trace}))
    return found


def only(read: Cells, *subjects: str, **changes: object) -> Cells:
    """The same file with some of its subjects."""
    kept = [s for s in read.results.samples if s.subject in subjects]
    results = replace(read.results, samples=kept)
    return Cells(replace(results, **changes))  # type: ignore[arg-type]


def accelerated(read: Cells, **changes: object) -> Cells:
    """The same file, as if KVM had run the VMs."""
    changed = header(
        machine={**MACHINE, "accelerator": "kvm"},
        subjects={s: {**about, "note": ""} for s, about in SUBJECTS.items()},
    )
    return Cells(replace(read.results, header=changed, **changes))  # type: ignore[arg-type]
