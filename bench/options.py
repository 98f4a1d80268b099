"""The command line of `python -m bench run`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bench import suites
from bench.subjects.place import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.suites import Suite

SAMPLES = ", ".join(f"{each.samples} of {each.name}" for each in suites.ALL.values())
EXAMPLES = """examples:
  python -m bench run                                what `make bench` runs, as this user
  python -m bench run --full --sudo                  everything, as root
  python -m bench run --list                         the subjects and metrics that there are
  python -m bench run --suite oci --sudo             what `make bench-oci` runs
  python -m bench run --metrics start --subjects step6-none,runc,crun --samples 100

A subject NAME-again is NAME measured once more under another name: the two should not differ.
"""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench run",
        description="Measure ways to run a program: processes, containers, VMs.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--suite",
        type=suite,
        default=suites.CONTAINERS,
        help=f"what to measure: {', '.join(suites.ALL)} (default: {suites.CONTAINERS.name})",
    )
    scale = parser.add_mutually_exclusive_group()
    scale.add_argument("--quick", action="store_true", help="about 4 minutes (default)")
    scale.add_argument("--full", action="store_true", help="all subjects, settings and metrics")
    parser.add_argument("--subjects", type=names, help="comma-separated, instead of those")
    parser.add_argument("--metrics", type=names, help="comma-separated, instead of all")
    parser.add_argument("--samples", type=count, help=f"of each cell (default: {SAMPLES})")
    parser.add_argument("--seed", type=int, help="of the random order (default: a new one)")
    parser.add_argument("--out", help="the file to write (default: out/bench/DATE.jsonl)")
    parser.add_argument("--sudo", action="store_true", help="become root to measure")
    parser.add_argument("--no-report", action="store_true", help="only measure")
    parser.add_argument("--list", action="store_true", help="say what there is; do nothing")
    found = parser.parse_args(arguments)
    found.samples = found.samples or found.suite.samples
    return found


def suite(name: str) -> Suite:
    if name not in suites.ALL:
        raise argparse.ArgumentTypeError(
            f"there is no suite {name}: choose {' or '.join(suites.ALL)}"
        )
    return suites.ALL[name]


def names(text: str) -> list[str]:
    found = [name for name in text.split(",") if name]
    if not found:
        raise argparse.ArgumentTypeError("at least one name is wanted; --list shows them")
    return found


def count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: a whole number of at least 1 is wanted")
    return int(text)


def list_all(suite: Suite) -> None:
    """Print the subjects, each with what stands against it here, and the metrics."""
    print("subjects:")
    for subject in suite.every(Place()).values():
        absent = subject.absent()
        print(
            f"  {subject.name:<15} {subject.label}" + (f" (not here: {absent})" if absent else "")
        )
    print("metrics:")
    for metric in suite.metrics:
        print(f"  {metric.name:<15} {metric.title}")
