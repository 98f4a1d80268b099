"""kill: send a signal to the program of a container."""

from __future__ import annotations

from minirt.engine.container import load
from minirt.engine.destroy import thaw
from minirt.errors import ConfigError, StateError
from minirt.linux.cgroup_members import signal_all
from minirt.linux.process import SIGKILL, signal_number
from minirt.oci.parser import Option
from minirt.state import CREATED, PAUSED, RUNNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.oci.call import Call

ARGUMENTS = "ID [SIGNAL]"
OPTIONS = (Option("--all -a", "", "to all processes of the container"),)


def run(call: Call) -> int:
    number = signal_number(call.words.arguments[1] if len(call.words.arguments) > 1 else "TERM")
    if number < 0:
        raise ConfigError(f"unknown signal {call.words.arguments[1]}", pointer="SIGNAL")
    state = call.loaded(lock=False)
    if call.trace is not None:
        call.trace.root.set("minirt.signal", number)
    if call.words.on("--all") and state.cgroups():
        signal_all(state.cgroups(), number)
        return 0
    container = load(state, call.recorder)
    if state.current() not in (CREATED, RUNNING, PAUSED) or not container.kill(number):
        raise StateError(f"container not running: {state.id} is {state.current()}")
    if number == SIGKILL:
        thaw(state)  # version 1 kills the frozen only then
    return 0
