"""Remove what a killed runtime left behind: the containers that nobody attends to any more."""

from __future__ import annotations

import os

from minirt import engine
from minirt import state as states
from minirt.errors import StateError
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
                if _collect(state):
                    removed.append(state.id)
            finally:
                state.unlock()
        else:
            states.remove_empty(state)
    return removed


def _collect(state: State) -> bool:
    if not os.path.exists(f"{state.directory}/state.json"):
        states.remove(state)  # killed before the first record: nothing else was made
        return True
    try:
        state.load()
    except StateError:
        return False  # damaged: whose it is cannot be told
    if _abandoned(state):
        engine.destroy(engine.load(state, Recorder()))
        return True
    return False


def _abandoned(state: State) -> bool:
    return state.status == states.CREATING or state.foreground or state.boot_id != states.boot_id()
