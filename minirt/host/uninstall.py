"""`make uninstall`: take back what minirt changed on this machine, saying what.

Containers, the bridge, the nftables table and the forwarding setting go by `minirt gc --all`;
then the caches. Packages that were installed stay: something else may need them by now.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

from minirt.errors import HostError, MinirtError, render
from minirt.host import cache, elevate, packages
from minirt.host.progress import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

COLLECT = [sys.executable, "-IB", "-m", "minirt", "gc", "--all"]


def main() -> int:
    try:
        _uninstall()
    except MinirtError as error:
        print(render(error, bold=sys.stderr.isatty()), file=sys.stderr)  # noqa: T201
        return error.exit_code
    return 0


def _uninstall() -> None:
    installed = packages.installed_by_us()
    root = elevate.prefix()
    if os.geteuid():
        _run(COLLECT)
        cache.remove_tree(cache.directory())
    if root is None:
        line = shlex.join(["sudo", *COLLECT])
        raise HostError("what root's containers left needs root to remove", hint=f"type: {line}")
    _run([*root, *COLLECT])
    _run([*root, "rm", "-rf", "--", cache.SYSTEM])
    say(f"removed: containers, bridge, nftables table, {cache.SYSTEM}")
    if installed:
        say(f"kept; to remove: sudo apt-get remove {shlex.join(installed)}")


def _run(command: Sequence[str]) -> None:
    if subprocess.run(command, check=False).returncode:
        raise HostError(f"{shlex.join(command)} failed", hint="see what it said")


if __name__ == "__main__":
    sys.exit(main())
