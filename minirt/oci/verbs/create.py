"""create: everything up to the program, which then waits for `start`."""

from __future__ import annotations

import os
import time

from minirt import engine
from minirt import state as states
from minirt.linux import files
from minirt.oci import bundle, cgroup
from minirt.oci.parser import Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.engine.container import Container
    from minirt.oci.call import Call

ARGUMENTS = "ID"
OPTIONS = (
    Option("--bundle -b", "DIR", "the directory of config.json (default: the current one)"),
    Option("--config -f", "FILE", "another configuration than config.json"),
    Option("--pid-file", "FILE", "write the pid of the container's init to FILE"),
    Option("--console-socket", "PATH", "send the terminal's master end to this socket"),
    Option("--preserve-fds", "N", "give N descriptors from 3 on to the program"),
    Option("--no-pivot", "", "chroot instead of pivot_root, for a host in its initramfs"),
    Option("--no-new-keyring", "", "keep the caller's session keyring"),
)


def run(call: Call) -> int:
    create(call, foreground=False).close()
    return 0


def create(call: Call, *, foreground: bool) -> Container:
    """The container that `call` asks for, created; its pid file is written."""
    directory = os.path.abspath(call.words.text("--bundle") or ".")
    document = bundle.read(directory, call.words.text("--config"))
    document = cgroup.placed(document, call.own_name, cgroup.manager(call.options))
    if call.words.on("--no-pivot"):
        own = document.get("minirt")
        document["minirt"] = {**(own if isinstance(own, dict) else {}), "noPivot": True}
    state = states.new(call.root, call.id)
    state.spec, state.bundle, state.wall_time = document, directory, int(time.time())
    container = engine.create(state, call.recorder, foreground=foreground)
    try:
        write_pid(call.words.text("--pid-file"), container.ctx.pid)
    except BaseException as error:
        engine.destroy(container, error)
        raise
    return container


def write_pid(path: str, pid: int) -> None:
    """What engines read with atoi, and wait for."""
    if path:
        files.replace(path, str(pid).encode(), mode=0o644)
