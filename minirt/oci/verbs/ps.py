"""ps: the processes of a container, as this host's ps(1) shows them or as pids in JSON."""

from __future__ import annotations

from minirt.codec import dumps
from minirt.errors import HostError
from minirt.linux import cgroup_members, command
from minirt.oci.parser import Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from minirt.oci.call import Call
    from minirt.state import State

ARGUMENTS = "ID [PS-OPTIONS]"
MOST = 1
OPTIONS = (
    Option("--format -f", "FORMAT", "table (default) or json: an array of pids", ("table", "json")),
)


def run(call: Call) -> int:
    kind = call.words.text("--format", "table")
    state = call.loaded(lock=False)
    pids = processes(state)
    if kind == "json":
        print(dumps(pids))
        return 0
    for line in table(pids, call.words.arguments[1:] or ("-ef",)):
        print(line)
    return 0


def processes(state: State) -> list[int]:
    """The pids of the container's processes; without a cgroup only init's is known.

    Of a stopped container there are none, or what has outlived its init.
    """
    found = {state.pid} if state.init_alive() else set()
    for directory in state.cgroups():
        found.update(cgroup_members.members(directory))
    return sorted(found)


def table(pids: Sequence[int], options: Sequence[str]) -> Iterator[str]:
    """The lines of ps(1) about `pids`, after its head line."""
    head, *lines = command.run(["ps", *options]).splitlines()
    columns = head.split()
    if "PID" not in columns:
        raise HostError("ps prints no column PID", hint="choose options of ps that show it")
    column = columns.index("PID")
    yield head
    wanted = set(map(str, pids))
    for line in lines:
        if line.split()[column] in wanted:
            yield line
