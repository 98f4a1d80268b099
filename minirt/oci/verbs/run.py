"""run: create and start, and wait for the end unless --detach."""

from __future__ import annotations

import os

from minirt.engine.attend import attend
from minirt.engine.destroy import destroy
from minirt.engine.start import start
from minirt.oci.parser import Option
from minirt.oci.verbs import create

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.engine.container import Container
    from minirt.oci.call import Call

ARGUMENTS = "ID"
OPTIONS = (
    *create.OPTIONS,
    Option("--detach -d", "", "do not wait for the end"),
    Option("--keep", "", "do not delete the container at the end"),
)


def run(call: Call) -> int:
    detached = call.words.on("--detach")
    container = create.create(call, detached=detached, starts=True)
    try:
        if not detached:
            status = attend(container, lambda made: _start(made, stays=True))
        else:
            _start(container, stays=False)
            container.close()
            return 0
    except BaseException as error:
        if call.trace is not None:
            call.trace.ended(container)
        destroy(container, error)
        raise
    if call.trace is not None:
        call.trace.ended(container, status)
    if not call.words.on("--keep"):
        delete(container)
    elif call.trace is not None:
        call.trace.told(container.state)
    return status


def _start(container: Container, *, stays: bool) -> None:
    """Let its program run; `stays` says that we wait for its end."""
    if os.environ.get("NOTIFY_SOCKET"):
        from minirt.oci import notify

        notify.start(container, stays=stays)
    else:
        start(container)
    # While it runs, others may exec into it, kill and delete it.
    container.state.unlock()


def delete(container: Container) -> None:
    """Destroy the container, unless another call was quicker, and has perhaps made a new one."""
    state = container.state
    ours = state.pid, state.start_time
    if not state.lock(wait=True):
        return
    try:
        state.load()  # with what others have done to it meanwhile
        if (state.pid, state.start_time) == ours:
            container.ctx.created = state.created
            destroy(container)
    finally:
        state.unlock()
