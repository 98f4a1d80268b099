"""delete: undo what `create` did."""

from __future__ import annotations

import os

from minirt import engine
from minirt.errors import StateError
from minirt.oci.parser import Option
from minirt.state import RUNNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.oci.call import Call

ARGUMENTS = "ID"
OPTIONS = (Option("--force -f", "", "kill it first; no error if there is none"),)


def run(call: Call) -> int:
    force = call.words.on("--force")
    if force and not os.path.exists(f"{call.root}/{call.id}"):
        return 0
    state = call.loaded()
    # A created container goes too: the specification forbids it, and engines rely on it.
    if state.current() == RUNNING and not force:
        raise StateError(
            f"cannot delete container {state.id}: it is running", hint="kill it, or use --force"
        )
    engine.destroy(engine.load(state, call.recorder, call.log.warn))
    return 0
