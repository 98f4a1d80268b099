"""`make uninstall`: take back what minirt changed on this machine, saying what.

Containers, the bridge, the nftables table and the forwarding setting go by `minirt gc --all`;
then the caches, once nobody writes them. What cannot be removed is said, and the rest goes all the
same. It asks first where a person sits at a terminal. Packages that were installed stay:
something else may need them by now.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys

from minirt.errors import HostError, MinirtError, render
from minirt.host import cache, elevate, packages
from minirt.host.progress import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COLLECT = [sys.executable, "-IB", "-m", "minirt", "gc", "--all"]
ROOTS_CACHE = [sys.executable, "-IB", "-m", "minirt.host.uninstall", "--roots-cache"]


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    try:
        if options.roots_cache:
            cache.remove_all(cache.SYSTEM)
        elif options.yes or _agreed():
            _uninstall()
        else:
            say("nothing was changed")
            return 1
    except MinirtError as error:
        _complain(error)
        return error.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m minirt.host.uninstall",
        description="Remove all containers, the network and the caches of minirt on this machine.",
        allow_abbrev=False,
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    # What this program starts as root.
    parser.add_argument("--roots-cache", action="store_true", help=argparse.SUPPRESS)
    return parser


def _agreed() -> bool:
    """Whether the person at the terminal wants it; without one, who started this does."""
    if not sys.stdin.isatty():
        return True
    say("this ends all containers of minirt, and removes its network and its caches")
    try:
        return input("minirt: go on? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _uninstall() -> None:
    installed = packages.installed_by_us()
    root = elevate.prefix()
    failed = 0
    if os.geteuid():
        failed += _failed(lambda: _run(COLLECT))
        failed += _failed(lambda: cache.remove_all(cache.directory()))
    if root is None:
        line = shlex.join(["sudo", *COLLECT])
        raise HostError("what root's containers left needs root to remove", hint=f"type: {line}")
    failed += _failed(lambda: _run([*root, *COLLECT]))
    failed += _failed(lambda: _run([*root, *ROOTS_CACHE]))
    if installed:
        say(f"kept; to remove: sudo apt-get remove {shlex.join(installed)}")
    if failed:
        raise HostError("not everything could be removed", hint="see above, then do it once more")
    say(f"removed: containers, bridge, nftables table, {cache.SYSTEM}")


def _failed(work: Callable[[], None]) -> bool:
    """Do one part; whether it failed, which is said: the others are done all the same."""
    try:
        work()
    except MinirtError as error:
        _complain(error)
        return True
    return False


def _run(command: Sequence[str]) -> None:
    if subprocess.run(command, check=False).returncode:
        raise HostError(f"{shlex.join(command)} failed", hint="see what it said")


def _complain(error: MinirtError) -> None:
    print(render(error, bold=sys.stderr.isatty()), file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
