"""start: let the program of a created container run."""

from __future__ import annotations

from minirt import engine
from minirt.errors import StateError
from minirt.state import CREATED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.oci.call import Call
    from minirt.oci.parser import Option

ARGUMENTS = "ID"
OPTIONS: tuple[Option, ...] = ()


def run(call: Call) -> int:
    state = call.loaded()
    if state.current() != CREATED:
        raise StateError(f"cannot start a container that is {state.current()}, not created")
    engine.start(engine.load(state, call.recorder))
    return 0
