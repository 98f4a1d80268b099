"""Let the init that waits execute its program: by the process that made it, or by another."""

from __future__ import annotations

import os

from minirt import state as states
from minirt.engine.dialogue import Dialogue
from minirt.errors import ConfigError, StateError
from minirt.wire import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.engine.container import Container
    from minirt.state import State
    from minirt.wire import Channel


def start(container: Container) -> None:
    """Let the container's program run; return when the kernel has executed it."""
    state = container.state
    if not state.startable:
        what = "is missing: there is nothing to start"
        raise ConfigError(what, pointer="/process", hint="set process.args in config.json")
    try:
        with Dialogue(container, container.channel or _connect(state)) as init:
            init.execute()
    finally:
        if state.trace:
            _stamp(container)
    container.collect_spans(dead=False)
    state.status = states.RUNNING
    state.save()
    container.phase("started")


def _stamp(container: Container) -> None:
    """Record when the program was executed, from the page that `create` made if it was another."""
    if container.page is None:
        from minirt.spans import Page

        try:
            container.page = Page(f"{container.state.directory}/spans")
        except (OSError, ValueError):  # a trace with a gap is no reason not to start
            return
        container.page.find()
        container.exec_at = container.page.executed()
    container.state.trace["exec_at"] = container.exec_at


def _connect(state: State) -> Channel:
    directory = os.open(state.directory, os.O_PATH | os.O_CLOEXEC)
    try:
        return connect(directory)
    except (ConnectionRefusedError, FileNotFoundError):
        raise StateError(f"container {state.id} has no init that waits for a start") from None
    finally:
        os.close(directory)
