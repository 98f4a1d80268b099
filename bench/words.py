"""Settings, and facts of a results file, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.units import quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.cells import Cells
    from bench.samples import Setting


def machine_words(of: Cells) -> list[str]:
    """The machine as a caption names it: its processor and its kernel."""
    machine = of.machine()
    found = [
        next((fact_text(machine[name]) for name in names if machine.get(name)), "")
        for names in (("cpu", "cpu_model", "model"), ("kernel", "release"))
    ]
    return [*filter(None, [found[0], f"kernel {found[1]}" if found[1] else ""])]


def setting_text(metric: str, of: Setting) -> str:
    """A setting in words: "after 60 ms of idling, warm"."""
    words = []
    for name, value in of.items():
        if name == "gap_s" and metric:
            gap = f"after {float(value) * 1000:g} ms of idling"
            words.append(gap if float(value) else "back to back")
        elif name == "cache":
            words.append(f"{value} cache")
        elif name in ("what", "work", "trace", "counted"):
            words.append(str(value))
        elif name == "running":
            words.append(f"beside {value} that run" if value else "alone")
        elif name == "budget_mib":
            words.append(f"in {value} MiB")
        else:
            what = name.replace("_", " ")
            words.append(f"{value} {what.removesuffix('s') if value == 1 else what}")
    return ", ".join(words)


def fact_rows(facts: Mapping[str, object]) -> list[tuple[str, str]]:
    """Facts of the header for a reader: sizes with a unit, and none that is not known."""
    rows = []
    for name, fact in facts.items():
        text = fact_text(fact)
        if name.endswith("_bytes") and isinstance(fact, int):
            text = quantity(fact, "bytes") if fact else ""
        rows.append((name.removesuffix("_bytes").replace("_", " "), text))
    return [row for row in rows if row[1]]


def fact_text(fact: object) -> str:
    """A fact of the header, which may be nested, on one line."""
    if isinstance(fact, dict):
        return ", ".join(_named(str(name), fact_text(value)) for name, value in fact.items())
    if isinstance(fact, float):
        return f"{fact:.2f}" if abs(fact) >= 1 else f"{fact:.2g}"
    if isinstance(fact, list):
        return ", ".join(fact_text(value) for value in fact)
    return "" if fact is None else str(fact)


def _named(name: str, text: str) -> str:
    """What names itself is not named twice: "runc version 1.1.5"."""
    return text if text.partition(" ")[0] == name else f"{name} {text}"
