"""run: create and start, and wait for the end unless --detach."""

from __future__ import annotations

from minirt import engine
from minirt.oci.parser import Option
from minirt.oci.verbs import create

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.oci.call import Call

ARGUMENTS = "ID"
OPTIONS = (
    *create.OPTIONS,
    Option("--detach -d", "", "do not wait for the end"),
    Option("--keep", "", "do not delete the container at the end"),
)


def run(call: Call) -> int:
    container = create.create(call, foreground=False)
    engine.start(container)
    if call.words.on("--detach"):
        return 0
    from minirt.engine.attend import attend

    container.state.unlock()  # while it runs, others may pause, change or delete it
    status = attend(container)
    if not call.words.on("--keep") and container.state.lock(wait=True):
        engine.destroy(container)
    return status
