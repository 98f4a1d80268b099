"""Remove what a killed runtime left behind: the containers that nobody attends to any more."""

from __future__ import annotations

from minirt import engine
from minirt import state as states
from minirt.spans import Recorder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.state import State


def collect(root: str) -> list[str]:
    """Delete every abandoned container below this state root; return their ids.

    Abandoned is one that nobody holds the lock of, and which was never finished, ran in the
    foreground, or is from before the last boot.
    """
    removed = []
    for state in states.every(root):
        if state.lock(wait=False):
            try:
                if _abandoned(state):
                    _remove(state)
                    removed.append(state.id)
            finally:
                state.unlock()
    return removed


def _abandoned(state: State) -> bool:
    unfinished = not state.spec or state.status == states.CREATING
    return unfinished or state.foreground or state.boot_id != states.boot_id()


def _remove(state: State) -> None:
    if state.spec:
        engine.destroy(engine.load(state, Recorder()))
    else:  # killed before the first state.json: there is nothing but the directory
        states.remove(state)
