"""Become root for one command, where that is needed and possible."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys


def prefix() -> list[str] | None:
    """What to put before a command so that root runs it: nothing for root, else sudo.

    sudo may ask for a password only where a person sits at a terminal. None: no way.
    """
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    quiet = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
    if quiet.returncode == 0:
        return ["sudo", "-n"]
    return ["sudo"] if sys.stdin.isatty() and sys.stderr.isatty() else None
