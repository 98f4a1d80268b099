"""restore: make a container of the files that `checkpoint` wrote, by criu(8)."""

from __future__ import annotations

import os
import time

from minirt import state as states
from minirt.oci import bundle, cgroup
from minirt.oci.made import write_pid
from minirt.oci.parser import Option
from minirt.oci.verbs import checkpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.engine.container import Container
    from minirt.oci.call import Call

ARGUMENTS = "ID"
OPTIONS = (
    *checkpoint.SHARED,
    Option("--bundle -b", "DIR", "the directory of config.json (default: the current one)"),
    Option("--detach -d", "", "do not wait for the end"),
    Option("--pid-file", "FILE", "write the pid of the container's init to FILE"),
    Option("--console-socket", "PATH", "ignored: a container with a terminal is refused"),
    Option("--no-pivot", "", "ignored: criu makes the root"),
    Option("--no-subreaper", "", "ignored: minirt is none"),
)


def run(call: Call) -> int:
    checkpoint.refuse_lazy(call)
    from minirt.engine.attend import attend
    from minirt.engine.destroy import destroy
    from minirt.engine.signals import raise_on_signals

    directory = os.path.abspath(call.words.text("--bundle") or ".")
    document = bundle.read(directory)
    raise_on_signals()
    document = cgroup.placed(document, call.root_key, call.id, cgroup.manager(call.options))
    state = states.new(call.root, call.id)
    state.spec, state.bundle, state.wall_time = document, directory, int(time.time())
    from minirt.oci.criu.restore import restore

    container = restore(call, state)
    try:
        write_pid(call.words.text("--pid-file"), container.ctx.pid)
        if call.words.on("--detach"):
            container.close()
            return 0
        status = attend(container, _unlock)
    except BaseException as error:
        destroy(container, error)
        raise
    from minirt.oci.verbs.run import delete

    delete(container)
    return status


def _unlock(container: Container) -> None:
    # While it runs, others may exec into it, kill and delete it.
    container.state.unlock()
