"""`minirt`, the command for people. One module a verb, imported only when it is called.

A verb's module has `configure(parser)`, which declares its arguments, and `run(arguments)`, which
does the work and returns the exit status. To add one: write the module, name it in VERBS.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from typing import TYPE_CHECKING, Protocol, cast

import minirt
from minirt.errors import MinirtError, render

if TYPE_CHECKING:
    from collections.abc import Sequence

VERBS = {
    "gc": "remove what a killed minirt left behind",
    "oci": "make minirt the runtime of podman, docker, containerd and Kubernetes",
    "trace": "show a recorded trace, or turn it into another format",
}
EXAMPLES = """examples:
  sudo minirt gc --all                     undo everything that minirt changed on this machine
  sudo minirt oci install                  the runtime for engines, and what to tell them
  minirt trace show out/step6.jsonl        the waterfall in this terminal
  minirt trace html out/step6.jsonl -o step6.html
"""


class Verb(Protocol):
    """What every module of VERBS offers."""

    def configure(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, arguments: argparse.Namespace) -> int: ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; the exit status: its own, 125 for an error of minirt's, 2 for wrong usage."""
    words = list(sys.argv[1:] if argv is None else argv)
    named = next((word for word in words if not word.startswith("-")), "")
    parser = command("minirt", minirt.__doc__ or "", EXAMPLES)
    parser.add_argument("--version", action="version", version=f"minirt {minirt.__version__}")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    for name, what in VERBS.items():
        sub = verbs.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
        if name == named:
            module = cast("Verb", importlib.import_module(f"minirt.cli.{name}"))
            module.configure(sub)
            sub.set_defaults(run=module.run)
    arguments = parser.parse_args(words)
    return _perform(arguments)


def command(name: str, what: str, examples: str) -> argparse.ArgumentParser:
    """A parser whose help ends with examples."""
    return argparse.ArgumentParser(
        prog=name,
        description=what,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _perform(arguments: argparse.Namespace) -> int:
    try:
        status: int = arguments.run(arguments)
        sys.stdout.flush()
    except MinirtError as error:
        from minirt.hints import hint_for

        error.hint = error.hint or hint_for(error)
        sys.stderr.write(render(error, bold=sys.stderr.isatty()) + "\n")
        return error.exit_code
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        # What is still buffered would raise again at exit (Python's docs, "Note on SIGPIPE").
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status
