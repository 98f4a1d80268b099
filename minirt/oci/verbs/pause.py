"""pause: stop all processes of a container where they are."""

from __future__ import annotations

from minirt.errors import HostError, StateError
from minirt.linux import freezer
from minirt.state import CREATED, RUNNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.oci.call import Call
    from minirt.oci.parser import Option
    from minirt.state import State

ARGUMENTS = "ID"
OPTIONS: tuple[Option, ...] = ()


def run(call: Call) -> int:
    state = call.loaded()
    if state.current() not in (CREATED, RUNNING):
        raise StateError(f"container not running: {state.id} is {state.current()}")
    freezer.freeze(place(state))
    return 0


def place(state: State) -> str:
    """The cgroup that freezes the container; HostError if there is none."""
    found = freezer.place(state.cgroups())
    if not found:
        raise HostError(
            f"container {state.id} has no cgroup that could freeze it",
            hint="create it as root, without --cgroup-manager disabled",
        )
    return found
