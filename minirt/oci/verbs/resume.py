"""resume: let a paused container go on."""

from __future__ import annotations

from minirt.errors import StateError
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
    freezer.thaw(place(state))
    return 0
