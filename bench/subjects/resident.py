"""The process behind `warm`: it has loaded minirt, and runs a container for each line it reads.

    python -I resident.py [OPTION ...]

Each line of standard input is a JSON list of words: a command to run as step 6 would with these
options, which inherits standard output. Then "resident: end STATUS CPU_S" follows there. What the
container is cloned from stays small: no more is imported here than a step imports.
"""

import resource
import sys

from minirt.codec import loads
from minirt.engine.signals import Interrupted, raise_on_signals
from minirt.errors import MinirtError, render
from minirt.spans import Recorder, Span
from minirt.step6 import STEP
from minirt.stepping.options import OPTIONS
from minirt.stepping.parser import parse
from minirt.stepping.step import run_container

SAYS = "resident: "


class Silent(Recorder):
    """Records nothing: what the recorder costs is the difference to this."""

    __slots__ = ("_span",)

    def __init__(self) -> None:
        super().__init__()
        self._span = super().span("none")

    def span(self, _name: str, *, kind: str = "") -> Span:
        del kind
        return self._span

    def add(self, _name: str, _start: int, _end: int, *, parent: bytes = b"") -> Span:
        del parent
        return self._span

    def finish(self, _span: Span) -> None:
        pass


def used() -> float:
    """The processor time of this process and of those that it waited for, in seconds."""
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    usages = [resource.getrusage(who) for who in whose]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def serve(options: list[str]) -> None:
    print(f"{SAYS}ready", flush=True)
    for line in sys.stdin:
        before = used()
        words = loads(line)
        assert isinstance(words, list)  # noqa: S101  (it is our own subject that asks)
        values = parse([*options, "--", *map(str, words)], OPTIONS, STEP.number)
        try:
            recorder = Silent() if values.on("--no-trace") else Recorder()
            status = run_container(STEP, values, recorder)
        except MinirtError as error:
            status = error.exit_code
            print(render(error), file=sys.stderr, flush=True)
        print(f"{SAYS}end {status} {used() - before:.6f}", flush=True)


if __name__ == "__main__":
    raise_on_signals()
    try:
        serve(sys.argv[1:])
    except Interrupted as stop:
        sys.exit(stop.exit_code)
