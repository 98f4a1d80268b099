"""start: let the program of a created container run."""

from __future__ import annotations

import os

from minirt.engine.container import load
from minirt.engine.start import start
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
    container = load(state, call.recorder, ("assist", "started"), call.log.warn)
    try:
        if os.environ.get("NOTIFY_SOCKET"):
            from minirt.oci import notify

            notify.start(container, stays=False)
        else:
            start(container)
    except MinirtError as error:
        # runtime.md, "Lifecycle": after a startContainer or poststart hook that failed the
        # container is stopped and destroyed.
        if call.trace is not None:
            call.trace.ended(container)
        if error.mechanism == "hooks":
            from minirt.engine.destroy import destroy

            container.close()
            destroy(load(state, call.recorder, ("teardown",), call.log.warn), error)
        raise
    return 0
