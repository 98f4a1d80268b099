"""`minirt gc`: remove what a killed minirt left behind; with --all, what stays between runs too."""

from __future__ import annotations

import argparse
import os
import sys

from minirt import gc, state_root
from minirt.errors import MinirtError
from minirt.linux import command

EXAMPLES = """examples:
  sudo minirt gc          containers whose runtime was killed, and tracers that it left
  sudo minirt gc --all    and the bridge minirt0, the nft table minirt, the forwarding setting,
                          the kept traces of engines' containers
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--all", action="store_true", help="also what stays between runs by design")


def run(arguments: argparse.Namespace) -> int:
    roots = (state_root.default(), state_root.of_engines())
    removed = [f"container {name}" for root in roots for name in gc.collect(root, _say)]
    if os.geteuid() == 0:
        removed += _as_root(everything=arguments.all)
    elif arguments.all:
        removed += _traces()
        _say("what root made on this machine only root can remove: sudo minirt gc --all")
    for thing in removed:
        _say(f"removed: {thing}")
    if not removed:
        _say("nothing to remove" if os.geteuid() == 0 else "nothing of yours to remove")
    return 0


def _as_root(*, everything: bool) -> list[str]:
    from minirt.telemetry import kernel

    try:
        kernel.sweep()  # tracers of commands that were killed
    except (OSError, MinirtError):
        pass  # no tracefs, so no tracer
    if not everything:
        return []
    from minirt.networks.network import remove_all
    from minirt.oci import guard, install

    mounts = [f"mount {place}" for place in install.places() if guard.release(place)]
    return [*remove_all(command.run), *mounts, *_traces()]


def _traces() -> list[str]:
    """The kept traces of engines' containers."""
    from minirt.telemetry import spool

    count = spool.remove_all()
    return [f"{count} traces of containers"] if count else []


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
