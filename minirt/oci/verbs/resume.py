"""resume: let a paused container go on."""

from __future__ import annotations

from minirt.errors import HostError, StateError
from minirt.linux import freezer
from minirt.oci.verbs.pause import place
from minirt.state import PAUSED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.oci.call import Call
    from minirt.oci.parser import Option

ARGUMENTS = "ID"
OPTIONS: tuple[Option, ...] = ()


def run(call: Call) -> int:
    state = call.loaded()
    if state.current() != PAUSED:
        raise StateError(f"container not paused: {state.id} is {state.current()}")
    directory = place(state)
    freezer.thaw(directory)
    if freezer.held_above(directory):
        raise HostError(
            f"container {state.id} stays paused: a cgroup above {directory} is frozen",
            hint="thaw that one, too",
        )
    return 0
