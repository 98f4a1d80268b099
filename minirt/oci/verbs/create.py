"""create: everything up to the program, which then waits for `start`."""

from __future__ import annotations

import os
import time

from minirt import state as states
from minirt.engine import create as creation
from minirt.engine.destroy import destroy
from minirt.engine.signals import raise_on_signals
from minirt.oci import bundle, cgroup, made, streams
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
    *streams.OPTIONS,
    Option("--no-pivot", "", "chroot instead of pivot_root, for a host in its initramfs"),
    Option("--no-new-keyring", "", "keep the caller's session keyring"),
)


def run(call: Call) -> int:
    create(call, detached=True).close()
    return 0


def create(call: Call, *, detached: bool, starts: bool = False) -> Container:
    """The container that `call` asks for, created; its pid file is written.

    `detached` says that nobody here will relay for its terminal, `starts` that this call goes on
    to start it.
    """
    name, preserve = call.id, streams.preserved(call.words)
    directory = os.path.abspath(call.words.text("--bundle") or ".")
    document = bundle.read(directory, call.words.text("--config"))
    call.begin(document)
    streams.check(call.words, document.get("process"), detached=detached)
    raise_on_signals()
    document = cgroup.placed(document, call.root_key, name, cgroup.manager(call.options))
    for option, member in (("--no-pivot", "noPivot"), ("--no-new-keyring", "noNewKeyring")):
        if call.words.on(option):
            own = document.get("minirt")
            document["minirt"] = {**(own if isinstance(own, dict) else {}), member: True}
    state = states.new(call.root, name)
    state.spec, state.bundle = streams.with_services(document, state.directory), directory
    state.wall_time = int(time.time())
    propagate = call.trace is not None and call.trace.creates(state)
    container = creation.create(
        state,
        call.recorder,
        starts=starts,
        propagate=propagate,
        preserve=preserve,
        warn=call.log.warn,
    )
    if call.recorder.kept:
        container.collect_spans(dead=False)
    made.tell_of_capabilities(call, container)
    try:
        streams.hand_over(call.words, container)
        made.write_pid(call.words.text("--pid-file"), container.ctx.pid)
    except BaseException as error:
        destroy(container, error)
        raise
    return container
