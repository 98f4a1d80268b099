"""What the host saw, line by line, with the seconds since the experiment began."""

from __future__ import annotations

import argparse
import sys
from time import monotonic_ns
from typing import TYPE_CHECKING

from minirt.engine.signals import Interrupted, raise_on_signals
from minirt.errors import MinirtError, render

if TYPE_CHECKING:
    from collections.abc import Callable


class Timeline:
    """Prints what happened as it is told, and when."""

    def __init__(self) -> None:
        self._began = monotonic_ns()

    def say(self, who: str, what: str, at: int = 0) -> None:
        """`at` is CLOCK_MONOTONIC ns, now by default."""
        seconds = ((at or monotonic_ns()) - self._began) / 1e9
        print(f"{seconds:7.2f} s  {who:<10}  {what}", flush=True)


def main(experiment: Callable[[], None], text: str) -> int:
    """Run `experiment`, whose --help is `text`; the exit status."""
    parser = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    raise_on_signals()
    try:
        experiment()
    except Interrupted as stop:
        return stop.exit_code
    except MinirtError as error:
        print(render(error, bold=sys.stderr.isatty()), file=sys.stderr)
        return error.exit_code
    return 0
