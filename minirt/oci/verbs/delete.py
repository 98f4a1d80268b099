"""delete: undo what `create` did."""

from __future__ import annotations

import os

from minirt import state as states
from minirt.engine.container import load
from minirt.engine.destroy import destroy
from minirt.errors import StateError
from minirt.oci.parser import Option
from minirt.state import PAUSED, RUNNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.oci.call import Call
    from minirt.state import State

ARGUMENTS = "ID"
OPTIONS = (Option("--force -f", "", "kill it first; no error if there is none"),)


def run(call: Call) -> int:
    force = call.words.on("--force")
    state = _locked(call, force=force)
    if state is None:
        return 0
    # A created container goes too: the specification forbids it, and engines rely on it.
    if state.current() in (RUNNING, PAUSED) and not force:
        state.unlock()
        raise StateError(
            f"cannot delete container {state.id} that is not stopped: it is {state.current()}",
            hint="kill it, or use --force",
        )
    container = load(state, call.recorder, ("teardown",), call.log.warn)
    destroy(container)
    if call.trace is not None:
        call.trace.ended(container)
    return 0


def _locked(call: Call, *, force: bool) -> State | None:
    """The container, locked and loaded; None where force finds none, or only its beginnings."""
    if not force:
        return call.loaded()
    state = states.State(call.root, call.id)
    if not state.lock(wait=True):
        if os.path.isdir(state.directory):  # a `create` that was killed at once
            states.remove_empty(state)
        return None
    if not os.path.exists(f"{state.directory}/state.json"):  # or a little later
        states.remove(state)
        state.unlock()
        return None
    state.load()
    call.follow(state)
    return state
