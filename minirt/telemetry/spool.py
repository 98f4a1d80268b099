"""Where the traces of engines' containers are kept: a file each, below /run, only for its owner.

A file is named <id>.<span of create>.jsonl. It is bounded twice: one grows to ROOM, and of all only
the newest are kept. It outlives its container, until it is too old, `minirt gc --all`, or a reboot.
"""

from __future__ import annotations

import os

from minirt import state_root
from minirt.linux.tree import empty

KEPT = 64  # files
ROOM = 1 << 20  # bytes of a file that may repeat itself: an exec each second, a day long
SPARE = 1 << 18  # what is beyond it for how the container ends
LONGEST_ID = 200  # of 255 bytes of a name
ENDING = ".jsonl"


def directory() -> str:
    """The same whatever the environment, for root; of an ordinary user, where the states are too.

    Root in a user namespace, as rootless engines call us, may not write to the host's /run.
    """
    if os.geteuid() == 0 and os.access("/run", os.W_OK):
        return "/run/minirt-traces"
    return f"{os.environ.get('XDG_RUNTIME_DIR') or f'/tmp/{os.geteuid()}'}/minirt-traces"  # noqa: S108


def new(container_id: str, span_id: str) -> str:
    """The path for a container's trace, room made for it; OSError, HostError."""
    place = directory()
    state_root.make(place)
    os.chmod(place, 0o700)
    for path in _by_age(place)[: -(KEPT - 1)]:
        _unlink(path)
    return f"{place}/{container_id[:LONGEST_ID]}.{span_id}{ENDING}"


def has_room(path: str, *, last: bool) -> bool:
    """Whether the file may grow; what comes only once in a life always finds room."""
    try:
        return os.stat(path).st_size < ROOM + (SPARE if last else 0)
    except FileNotFoundError:
        return True


def find(prefix: str) -> dict[str, list[str]]:
    """The files of all containers whose ids begin so, by id, the oldest first.

    The one whose whole id it is hides the others.
    """
    found: dict[str, list[str]] = {}
    for path in _by_age(directory()):
        container_id = os.path.basename(path).removesuffix(ENDING).rpartition(".")[0]
        if container_id.startswith(prefix[:LONGEST_ID]):
            found.setdefault(container_id, []).append(path)
    return {prefix: found[prefix]} if prefix in found else found


def remove_all() -> int:
    """Remove the directory; how many traces were in it."""
    place = directory()
    try:
        state_root.require_own(place)
        count = len(os.listdir(place))
        top = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    try:
        empty(top)
    finally:
        os.close(top)
    os.rmdir(place)
    return count


def _by_age(place: str) -> list[str]:
    """The files, the one that was written to longest ago first."""
    try:
        names = [name for name in os.listdir(place) if name.endswith(ENDING)]
    except FileNotFoundError:
        return []
    return sorted((f"{place}/{name}" for name in names), key=_written)


def _written(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except FileNotFoundError:  # removed in this moment
        return 0


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
