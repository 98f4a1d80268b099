"""The measurement as root, for an ordinary user who can become root; the file stays the user's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from minirt.host import elevate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def elevated(arguments: Sequence[str], file: Path) -> int | None:
    """Measure as root into `file`; its exit status, or None where there is no way to root."""
    root = elevate.prefix()
    if root is None:
        print("bench: without root some subjects are left out", file=sys.stderr)
        return None
    own = [word for word in arguments if word != "--sudo"]
    command = [sys.executable, "-B", "-m", "bench", "run", *own, "--no-report"]
    # Ctrl-C is for the one that measures; here a handler, since what is ignored is inherited.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        status = subprocess.run([*root, *command, "--out", str(file)], check=False).returncode
    finally:
        signal.signal(signal.SIGINT, before)
    take_back(file)
    return status


def take_back(file: Path) -> None:
    """Make a file that root left in the caller's directory the caller's."""
    if file.exists() and file.stat().st_uid != os.geteuid():
        content = file.read_bytes()
        file.unlink()
        file.write_bytes(content)
