"""The tour: `python -m minirt.tour`.

Exit status: 0 when nothing failed and steps 1 to 3 were shown; 2 when this machine forbids one of
those; 1 when something failed that should have worked.
"""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys

from minirt.check.machine import Facts
from minirt.errors import HostError, MinirtError, render
from minirt.images import build
from minirt.tour.demos import demos
from minirt.tour.show import FAILED, SHOWN, Stage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from minirt.tour.demos import Demo
    from minirt.tour.show import Verdict

TRACES = "out"


def main() -> int:
    """Show every step, then how each ended."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # in step with stderr, into a pipe too
    facts = Facts()
    print(f"minirt on {facts.describe()}")
    try:
        _empty_traces()
    except OSError as error:
        return _refuse(error)
    try:
        build.ensure()
    except MinirtError as error:
        print(render(error), file=sys.stderr)  # steps 1 and 2 need no image
    with subprocess.Popen(["sleep", "1d"]) as bystander:
        try:
            verdicts = list(_perform(Stage(facts, TRACES), demos(bystander.pid)))
        finally:
            bystander.terminate()
    _sum_up(verdicts)
    return exit_status(verdicts)


def _refuse(error: OSError) -> int:
    problem = f"cannot write the traces to {error.filename}: {error.strerror}"
    hint = f"give {TRACES}/ to yourself, or remove it: sudo rm -r {TRACES}"
    print(render(HostError(problem, hint=hint)), file=sys.stderr)
    return 1


def _perform(stage: Stage, scenes: Iterable[Demo]) -> Iterator[Verdict]:
    for demo in scenes:
        print(f"\nstep {demo.step}: {demo.title}")
        verdict = stage.perform(demo)
        print(f"  {verdict.outcome}: {verdict.why}")
        if verdict.remedy:
            print(f"  try: {verdict.remedy}")
        yield verdict


def exit_status(verdicts: Sequence[Verdict]) -> int:
    """0, 1 or 2, as the module says."""
    if any(verdict.outcome == FAILED for verdict in verdicts):
        return 1
    return 2 if any(v.outcome != SHOWN for v in verdicts if v.step <= 3) else 0


def _sum_up(verdicts: Sequence[Verdict]) -> None:
    print()
    for verdict in verdicts:
        print(f"step {verdict.step}  {verdict.outcome}")
    print(
        f"\nthe traces are in {TRACES}/; look at one: {_minirt()} trace show {TRACES}/step6.jsonl"
    )
    print("go on with a shell in a container of your own: make step N=3")


def _minirt() -> str:
    path = os.path.join(os.path.dirname(sys.executable), "minirt")
    return path.removeprefix(os.getcwd() + "/")


def _empty_traces() -> None:
    """Make the trace files anew: steps append, and what root appends to stays the caller's."""
    os.makedirs(TRACES, exist_ok=True)
    if not os.access(TRACES, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), TRACES)
    for step in range(1, 8):
        with open(f"{TRACES}/step{step}.jsonl", "w", encoding="utf-8"):
            pass


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
