"""Remove what a killed runtime left behind: the containers that nobody attends to any more."""

from __future__ import annotations

import os

from minirt import state as states
from minirt import state_root
from minirt.engine.container import load
from minirt.engine.destroy import destroy
from minirt.errors import MinirtError, StateError
from minirt.spans import Recorder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from minirt.state import State


def collect(root: str, warn: Callable[[str], None]) -> list[str]:
    """Delete every abandoned container below this state root; return their ids.

    Abandoned is one that nobody holds the lock of, and which was never finished, ran in the
    foreground, or is from before the last boot. One that cannot be deleted is warned of, and
    does not keep the next from being deleted, or a new one from being made.
    """
    state_root.require_own(root)
    removed = []
    for state in states.every(root):
        try:
            if _locked_and_removed(state):
                removed.append(state.id)
        except (MinirtError, OSError) as error:
            warn(f"cannot remove what container {state.id} left: {error}")
    return removed


def _locked_and_removed(state: State) -> bool:
    if not state.lock(wait=False):
        states.remove_empty(state)
        return False
    try:
        return _collect(state)
    finally:
        state.unlock()


def _collect(state: State) -> bool:
    if not os.path.exists(f"{state.directory}/state.json"):
        states.remove(state)  # killed before the first record: nothing else was made
        return True
    try:
        state.load()
    except StateError:
        return False  # damaged: whose it is cannot be told
    if _abandoned(state):
        destroy(load(state, Recorder(), ("teardown",)))
        return True
    return False


def _abandoned(state: State) -> bool:
    return state.status == states.CREATING or state.foreground or state.boot_id != states.boot_id()
