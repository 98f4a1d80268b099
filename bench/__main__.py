"""`python -m bench run | report | charts | compare`; each has its own --help."""

from __future__ import annotations

import importlib
import sys

USAGE = """usage: python -m bench COMMAND [ARGUMENTS ...]

  run      measure, and write a file of samples below out/bench
  report   make a report of such a file
  charts   write the charts of a report, each as a file to embed
  compare  say what changed between two of them

python -m bench COMMAND --help says more."""


COMMANDS = ("run", "report", "charts", "compare")


def main(arguments: list[str]) -> int:
    command, rest = (arguments or ["--help"])[0], arguments[1:]
    if command in COMMANDS:
        # Only now: a report is made without what measures, and the other way round.
        status: int = importlib.import_module(f"bench.{command}").main(rest)
        return status
    asked = command in ("-h", "--help")
    print(USAGE, file=sys.stdout if asked else sys.stderr)
    return 0 if asked else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
