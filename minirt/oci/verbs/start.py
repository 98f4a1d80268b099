"""start: let the program of a created container run."""

from __future__ import annotations

from minirt import engine
from minirt.errors import MinirtError, StateError
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
    container = engine.load(state, call.recorder, call.log.warn)
    try:
        engine.start(container)
    except MinirtError as error:
        # runtime.md, "Lifecycle": after a startContainer or poststart hook that failed the
        # container is stopped and destroyed.
        if error.mechanism == "hooks":
            engine.destroy(container, error)
        raise
    return 0
