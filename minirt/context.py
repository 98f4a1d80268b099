"""What the phases of one container's life share."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Protocol

    from minirt.codec import Json

    class Call(Protocol):
        """Run a program: argv, input, environment as K=V, its path, seconds it may take.

        `first` is what its process does before it becomes the program.
        """

        def __call__(
            self,
            argv: Sequence[str],
            stdin: str = "",
            env: Sequence[str] = (),
            program: str = "",
            timeout: int = 0,
            first: Callable[[], None] | None = None,
        ) -> str: ...


class Context:
    """One launch, as the mechanisms see it.

    id         the container's id
    directory  its state directory on the host (absolute)
    bundle     the directory of its config.json (absolute); "" without one
    annotations   those of its config.json
    key        8 hex digits of hash(state root, id): the base of every name on the host
    pid        host pid of the container's init; 0 before the clone
    pidfd      a pidfd of it; -1 before the clone
    init       host pid of the container's init where `pid` is another process of it (exec)
    root       in the child: O_PATH descriptor of the container's root directory
    proc       in the child: descriptor of a procfs of its pid namespace, mounted nowhere; -1
               where the plan has no such mount
    trees      in the child: detached mounts made in advance, by the JSON pointer of what asked
    cgroup_fd  a cgroup v2 directory to be born in (CLONE_INTO_CGROUP); -1 for none
    send_fd    pass a descriptor to the other side: from attach to enter, from seal to the host
    take_fd    the next one that was passed here
    environment   variables that mechanisms add to the program's own, which take precedence
    confine    what another program that init runs last of all has to do first: load the filter
    created    what was made on the host, by mechanism: in state.json before it is made, so
               that teardown in another process finds it
    """

    __slots__ = (
        "annotations", "bundle", "call", "cgroup_fd", "channel", "confine", "created", "directory",
        "environment", "id", "init", "key", "pid", "pidfd", "proc", "root", "save", "send_fd",
        "take_fd", "traceparent", "tracestate", "trees", "warn",
    )  # fmt: skip

    def __init__(self, container_id: str, directory: str, key: str) -> None:
        self.id = container_id
        self.directory = directory
        self.key = key
        self.bundle = ""
        self.annotations: Mapping[str, Json] = {}
        self.pid = 0
        self.pidfd = -1
        self.init = 0
        self.root = -1
        self.proc = -1
        self.channel = -1
        self.trees: dict[str, int] = {}
        self.cgroup_fd = -1
        self.created: dict[str, Json] = {}
        self.environment: dict[str, str] = {}
        self.traceparent = self.tracestate = ""
        # The engine's services; these defaults serve a context without an engine.
        self.save: Callable[[], None] = _nothing
        self.call: Call = _no_engine
        self.send_fd: Callable[[int], None] = _nothing
        self.take_fd: Callable[[], int] = lambda: -1
        self.warn: Callable[[str], None] = _nothing
        self.confine: Callable[[], None] | None = None

    def record(self, name: str, value: Json) -> None:
        """Note in state.json what is about to be made on the host, then make it."""
        self.created[name] = value
        self.save()


def _nothing(*_: object) -> None:
    pass


def _no_engine(
    argv: Sequence[str],
    stdin: str = "",
    env: Sequence[str] = (),
    program: str = "",
    timeout: int = 0,
    first: Callable[[], None] | None = None,
) -> str:
    raise LookupError(program or argv[0], stdin, env, timeout, first)
