"""exec: a second program in a container that runs.

It is a second, shorter plan of the same mechanisms on the same engine: every namespace is
joined by path instead of made, and there is nothing to mount.
"""

from __future__ import annotations

from minirt import plan as plans
from minirt.engine.attend import attend
from minirt.engine.birth import clone
from minirt.engine.container import Container
from minirt.engine.dialogue import Dialogue
from minirt.errors import StateError
from minirt.linux.ending import released
from minirt.linux.process import SIGKILL
from minirt.mechanisms.cgroup_join import CgroupJoin
from minirt.spec import Spec
from minirt.state import RUNNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from minirt.codec import Json
    from minirt.mechanism import Mechanism
    from minirt.plan import Plan
    from minirt.state import State
    from minirt.untraced import Tracer

# What a further process goes through where its container's init did; all else belongs to the
# container, not to a process.
MECHANISMS = (
    "stdio", "home", "bounding_set", "identity", "capabilities", "seccomp",
    "seccomp_notify",
)  # fmt: skip
# What a process may have though init has it not.
OWN = (
    "terminal", "pty", "oom_score", "scheduling", "personality", "working_directory",
    "rlimits", "no_new_privs", "labels",
)  # fmt: skip


def execute(state: State, process: Mapping[str, Json], recorder: Tracer) -> int:
    """Run `process` (OCI's `process` object) in the container; its exit status.

    `state` is loaded. Members that `process` lacks are the container's own. StateError when the
    container does not run.
    """
    if state.current() != RUNNING:
        raise StateError(f"container {state.id} is {state.current()}, not running")
    with recorder.span("minirt exec") as root:
        root.set("container.id", state.id)
        container = prepared(state, process, recorder)
        try:
            make(container)
            status = attend(container, start)
        finally:
            end(container)
        root.set("process.exit.code", status)
    return status


def prepared(
    state: State,
    process: Mapping[str, Json],
    recorder: Tracer,
    cgroups: Sequence[str] | None = None,
) -> Container:
    """What is to become `process` in the container of `state`, which is loaded.

    `cgroups` are the directories to join, if not the container's own.
    """
    given = state.spec.get("process")
    own = given if isinstance(given, dict) else {}
    document = {**state.spec, "process": {**own, "terminal": False, **process}}
    spec = Spec(document, whole=False)
    plan = _plan(state, spec, state.cgroups() if cgroups is None else cgroups)
    container = Container(state, plan, recorder, spec)
    container.ctx.init = state.pid
    container.ctx.save = lambda: None  # nothing is made that outlives the process
    return container


def _plan(state: State, spec: Spec, cgroups: Sequence[str]) -> Plan:
    inherited = [name for name in MECHANISMS if name in state.mechanisms]
    plan: tuple[Mechanism, ...] = plans.build(spec, (*OWN, *inherited))
    if any(spec.process.affinity):
        from minirt.mechanisms.affinity import Affinity

        plan = (Affinity(*spec.process.affinity), *plan)
    return (CgroupJoin(cgroups), *plan) if cgroups else plan


def namespaces(state: State) -> dict[str, str]:
    """The namespaces of the container's init, by path: those that are its own."""
    return {name: f"/proc/{state.pid}/ns/{name}" for name in state.namespaces}


def make(container: Container) -> None:
    """Bring the process to where it waits to execute its program, with its terminal made."""
    state = container.state
    container.phase("prepare")
    container.make_page()
    with clone(container, namespaces(state)) as init:
        if not state.init_alive():  # the paths may have led to another process's namespaces
            raise StateError(f"container {state.id} ended meanwhile")
        init.set_up()
        init.keep_channel()


def start(container: Container) -> None:
    """Let the process that was made execute its program."""
    assert container.channel is not None  # noqa: S101
    with Dialogue(container, container.channel) as init:
        init.execute()


def end(container: Container) -> None:
    """Kill the process if it runs, and let go of it; HostError if it does not end.

    In a paused container of version 1 it waits for the thaw, and dies then.
    """
    try:
        if container.kill(SIGKILL):
            released(container.ctx.pidfd, container.ctx.pid)
    finally:
        release(container)


def release(container: Container) -> None:
    """Let go of the process, which goes on where it runs."""
    container.phase("teardown")
    container.collect_spans(dead=True)
    container.close()
