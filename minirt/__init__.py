"""minirt: a Linux container runtime that shows how it works, one kernel mechanism at a time."""

import os
import sys

from minirt import packed

__version__ = "0.1.0"

if "SUDO_UID" in os.environ:
    # The caller's checkout must not fill with bytecode that only root can remove.
    sys.dont_write_bytecode = True

packed.install()
