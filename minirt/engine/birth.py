"""Make init: what it must have before it is born, and the clone."""

from __future__ import annotations

from minirt.engine.dialogue import Dialogue
from minirt.engine.init import Init
from minirt.engine.launch import launch
from minirt.engine.phases import having
from minirt.engine.signals import FORWARDED
from minirt.errors import HostError
from minirt.linux.process import Held, inheritable, threads
from minirt.mechanism import CHILD_PHASES
from minirt.wire import pair

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

    from minirt.engine.container import Container
    from minirt.wire import Channel, Listener


def clone(
    container: Container, namespaces: Mapping[str, str], listener: Listener | None = None
) -> Dialogue:
    """Make init, in `namespaces`, and talk with it.

    It will wait for `start` at the listener, if there is one.
    """
    if threads() != 1:
        raise HostError("minirt must have a single thread when it clones")
    ours, theirs = pair()
    init = _init(container, ours, theirs)
    init.listener = listener
    if container.recorder.kept and namespaces.get("time"):
        from minirt.spans import clock_anchor

        init.anchor = clock_anchor()  # init is born by another clock

    def child() -> NoReturn:
        ours.close()
        container.state.unlock()
        init.main()

    ctx = container.ctx
    try:
        # A signal must not find a child that nobody has noted, nor unwind this stack in it.
        with Held(FORWARDED), container.recorder.span("clone3") as span:
            span.set("minirt.namespace.types", sorted(namespaces))
            ctx.pid, ctx.pidfd = launch(namespaces, ctx.cgroup_fd, child)
            span.set("process.pid", ctx.pid)
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
        if listener is not None:
            listener.close()
    return Dialogue(container, ours)


def _init(container: Container, ours: Channel, theirs: Channel) -> Init:
    """The child to be, the slots of its spans reserved."""
    page = container.page
    assert page is not None  # noqa: S101
    parent = container.recorder.current()
    for phase in CHILD_PHASES:
        for mechanism in having(container.plan, phase):
            page.reserve(f"{mechanism.name}.{phase}", parent)
    page.reserve("exec", parent)
    container.ctx.send_fd = lambda fd: ours.send("fd", fd=fd)
    init = Init(container.ctx, container.plan, container.spec.process, page)
    init.channel = theirs
    init.foreground = container.state.foreground and not container.detached
    init.preserve = container.preserve
    init.keeps_keyring = container.spec.keeps_keyring
    init.strangers = inheritable(3 + container.preserve)
    return init
