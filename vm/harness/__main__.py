"""Run tests on a kernel whose only cgroup hierarchy is version 2, in a guest of this machine.

    python -m vm.harness [--backend uml|qemu|auto] [--junit FILE] [PYTEST-ARGUMENT…]

Exit status: pytest's own; 1 as well if the guest cannot be had, does not come to an end, or its
report proves nothing: no test ran, one was skipped, or the hierarchy is no cgroup version 2.
"""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from minirt.errors import HostError, MinirtError, render
from minirt.host import cache, debs
from minirt.host.progress import say
from vm.harness import qemu, selection, uml, verdict
from vm.harness.run import BootError, Order, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vm.harness.verdict import Report

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 1500.0
PLUGINS = ("pytest", "pytest_timeout", "pytest_benchmark")
BACKENDS = {"uml": uml.machine, "qemu": qemu.machine}


def main(arguments: Sequence[str]) -> int:
    """Boot, wait, and hand back what the tests ended with."""
    options, pytest = _parser().parse_known_args(arguments)
    try:
        _require_plugins()
        _require_visible(ROOT)
        _require_visible(Path(sys.executable))
        debs.fetch("busybox-static")  # for the tests' own image: the guest has no network
        tests = selection.EVERYTHING if options.everything else pytest
        order = Order(str(ROOT), tests, cache.directory())
        report = _run(options.backend, order, options.seconds)
    except MinirtError as error:
        print(render(error), file=sys.stderr)
        return 1
    if options.junit:
        Path(options.junit).write_bytes(report.junit)
    for complaint in verdict.complaints(report):
        say(complaint)
    return verdict.status(report)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m vm.harness",
        description="Run tests in a guest that has cgroup version 2 alone.",
        epilog="Other arguments are pytest's; where they name no test, those of cgroups are run.",
        allow_abbrev=False,
    )
    parser.add_argument("--backend", choices=("auto", *BACKENDS), default="auto")
    parser.add_argument(
        "--everything", action="store_true", help="what is left out for its length, too"
    )
    parser.add_argument("--junit", metavar="FILE", help="where to put pytest's JUnit file")
    parser.add_argument(
        "--seconds", type=_seconds, default=SECONDS, help="for all tests together (%(default).0f)"
    )
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return seconds


def _require_plugins() -> None:
    """Now, and not minutes later, when the guest's pytest does not know an option."""
    lacking = [name for name in PLUGINS if find_spec(name) is None]
    if lacking:
        what = f"{sys.executable} has no {', '.join(lacking)}, which the tests need"
        raise HostError(what, hint="make tools, then .venv/bin/python -m vm.harness")


def _run(backend: str, order: Order, seconds: float) -> Report:
    """On the backend that was asked for; with "auto", QEMU where User Mode Linux cannot be had.

    A run that went wrong is not done again: only a guest that never was ready.
    """
    if backend != "auto":
        return run(BACKENDS[backend](), order, seconds)
    try:
        machine = uml.machine()
    except HostError as error:
        return _run_on_qemu(error, order, seconds)
    try:
        return run(machine, order, seconds)
    except BootError as error:
        return _run_on_qemu(error, order, seconds)


def _run_on_qemu(error: HostError, order: Order, seconds: float) -> Report:
    say(f"{error.what}\nminirt: so the tests run in QEMU")
    return run(qemu.machine(), order, seconds)


def _require_visible(path: Path) -> None:
    """A path that the guest has too, and that a kernel's command line can hold."""
    if path.is_relative_to("/var/tmp") or path.is_relative_to("/run"):  # noqa: S108
        raise HostError(f"the guest cannot see {path}: it has directories of its own there")
    if len(str(path).split()) != 1:
        raise HostError(f"a kernel's command line cannot hold {str(path)!r}", hint="rename it")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
