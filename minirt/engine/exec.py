"""exec: a second program in a container that runs.

It is a second, shorter plan of the same mechanisms on the same engine: every namespace is
joined by path instead of made, and there is nothing to mount.
"""

from __future__ import annotations

from minirt import plan as plans
from minirt.engine.attend import attend
from minirt.engine.container import Container
from minirt.engine.dialogue import Dialogue
from minirt.engine.lifecycle import collect_spans
from minirt.errors import StateError
from minirt.linux.clone import ended
from minirt.linux.process import SIGKILL
from minirt.mechanisms.cgroup_join import CgroupJoin
from minirt.spans import Page
from minirt.spec import Spec
from minirt.state import RUNNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from minirt.codec import Json
    from minirt.mechanism import Mechanism
    from minirt.plan import Plan
    from minirt.spans import Recorder
    from minirt.state import State

# What a further process goes through; all else belongs to the container, not to a process.
MECHANISMS = (
    "terminal", "bounding_set", "identity", "capabilities", "rlimits", "no_new_privs", "seccomp",
)  # fmt: skip


def execute(state: State, process: Mapping[str, Json], recorder: Recorder) -> int:
    """Run `process` (OCI's `process` object) in the container; its exit status.

    `state` is loaded. Members that `process` lacks are the container's own. StateError when the
    container does not run.
    """
    if state.current() != RUNNING:
        raise StateError(f"container {state.id} is {state.current()}, not running")
    given = state.spec.get("process")
    own = given if isinstance(given, dict) else {}
    spec = Spec({**state.spec, "process": {**own, "terminal": False, **process}})
    container = Container(state, spec, _plan(state, spec), recorder)
    container.ctx.save = lambda: None  # nothing is made that outlives the process
    with recorder.span("minirt exec") as root:
        root.set("container.id", state.id)
        try:
            _start(container)
            status = attend(container)
        finally:
            _end(container)
        root.set("process.exit.code", status)
    return status


def _plan(state: State, spec: Spec) -> Plan:
    allowed = [name for name in MECHANISMS if name in state.mechanisms or name == "terminal"]
    plan: tuple[Mechanism, ...] = plans.build(spec, allowed)
    return (CgroupJoin(state.cgroups()), *plan) if state.cgroups() else plan


def namespaces(state: State) -> dict[str, str]:
    """The namespaces of the container's init, by path: those that are its own."""
    plan = plans.build(Spec(state.spec), state.mechanisms)
    names = plans.namespaces(plan, Spec(state.spec))
    return {name: f"/proc/{state.pid}/ns/{name}" for name in names}


def _start(container: Container) -> None:
    state = container.state
    container.phase("prepare")
    container.page = Page()
    with Dialogue(container) as init:
        init.clone(namespaces(state), None)
        if not state.init_alive():  # the paths may have led to another process's namespaces
            raise StateError(f"container {state.id} ended meanwhile")
        init.set_up()
        init.execute()


def _end(container: Container) -> None:
    if container.kill(SIGKILL):
        ended(container.ctx.pidfd)
    container.phase("teardown")
    collect_spans(container, dead=True)
    container.close()
