"""All subjects by name, and the names that a person may use for several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.subject import AGAIN, TAP
from bench.subjects import oci, steps
from bench.subjects.engines import Docker, Podman
from bench.subjects.microvm import machines
from bench.subjects.plain import Plain
from bench.subjects.sandboxes import Bubblewrap, Lxc
from bench.subjects.warm import Warm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bench.subject import Subject
    from bench.subjects.place import Place

# What `make bench` measures; --full measures all.
QUICK = (
    "process", *(f"step{number}" for number in range(1, 7)), "step6-none", "step6-none-compile",
    "warm", "runc", "crun", "microvm",
)  # fmt: skip
# Which subject is measured under two names: the first of these that takes part.
PAIRED = ("minirt-oci", "step6-none", "step6", "warm", "process")


def every(place: Place) -> dict[str, Subject]:
    """All subjects by name, in the order in which people want to read them."""
    subjects: list[Subject] = [
        Plain(place),
        *steps.all_steps(place),
        Warm(place),
        *oci.runtimes(place),
        Bubblewrap(place),
        Lxc(place),
        Podman(place),
        Docker(place),
        *machines(place),
    ]
    return {subject.name: subject for subject in subjects}


def choose(
    names: Iterable[str], place: Place, every: Callable[[Place], dict[str, Subject]] = every
) -> list[Subject]:
    """The subjects called `names` among `every`; ValueError names one that does not exist.

    NAME-again is NAME once more: measured as if it were another, the two should not differ.
    """
    chosen, known = [], every(place)
    for name in dict.fromkeys(names):
        again = name.endswith(AGAIN)
        found = (every(place) if again else known).get(name.removesuffix(AGAIN))
        if found is None:
            raise ValueError(f"there is no subject {name}: choose among {', '.join(known)}")
        if again:
            found.name, found.label = name, f"{found.label}, again"
        chosen.append(found)
    return chosen


def differs_inside(subject: Subject) -> bool:
    """Whether a running program could tell it from all others.

    An earlier step has less than the last, a compiled filter is the same filter, and a VM with a
    tap is otherwise the one without.
    """
    if isinstance(subject, steps.Step):
        return subject.number == steps.LAST and not isinstance(subject, steps.Compiling)
    return subject.network != TAP


def pair(names: Iterable[str]) -> list[str]:
    """The two names of the subject that takes part twice; [] without one."""
    twice = next((name for name in names if name.endswith(AGAIN)), "")
    return [twice.removesuffix(AGAIN), twice] if twice else []


def with_pair(names: Iterable[str]) -> list[str]:
    """`names`, with one of them a second time, so that every run shows its own noise."""
    wanted = list(names)
    if wanted and not any(name.endswith(AGAIN) for name in wanted):
        twice = next((name for name in PAIRED if name in wanted), wanted[0])
        wanted.insert(wanted.index(twice) + 1, f"{twice}{AGAIN}")
    return wanted
