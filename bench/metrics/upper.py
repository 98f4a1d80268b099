"""Where on the host an instance's writable layer lies: the upper directory of its overlay."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from minirt import state as states
from minirt import state_root
from minirt.errors import StateError
from minirt.linux import mountinfo
from minirt.linux.mountinfo import unescape

if TYPE_CHECKING:
    from collections.abc import Sequence

OPTION = "upperdir="
RECORDED_S = 2.0  # the state says the pid of an init at some time after its program has begun


def directory(pids: Sequence[int]) -> str:
    """Of the overlay that one of `pids` has for a root, and we do not; "" without one."""
    ours = of_root("self")
    found = (of_root(pid) for pid in pids)
    upper = next((upper for upper in found if upper not in ("", ours)), "")
    # minirt mounts in the container's own directory, with names that say nothing outside of it.
    return upper if os.path.isabs(upper) else _of_minirt(upper, pids)


def of_root(pid: int | str) -> str:
    """What the overlay at the root of `pid` was given; "" where that is no overlay."""
    try:
        table = mountinfo.mounts(pid)
    except (FileNotFoundError, ProcessLookupError):  # it has ended
        return ""
    roots = [mount for mount in table if mount.mountpoint == "/" and mount.fstype == "overlay"]
    options = [option for mount in roots[-1:] for option in mount.super_options]
    return next((unescape(o.removeprefix(OPTION)) for o in options if o.startswith(OPTION)), "")


def _of_minirt(upper: str, pids: Sequence[int]) -> str:
    """The directory `upper` of the container whose init is one of `pids`; "" for none."""
    deadline = time.monotonic() + RECORDED_S
    while upper and time.monotonic() < deadline:
        for state in states.every(state_root.default()):
            with contextlib.suppress(StateError, FileNotFoundError):  # another's comes or goes
                state.load()
                if state.pid in pids:
                    return f"{state.directory}/{upper}"
        time.sleep(0.005)
    return ""
