"""Checkpoint: write the processes of a container to files."""

from __future__ import annotations

from minirt.errors import HostError, StateError
from minirt.linux import command, freezer
from minirt.oci.criu import outside, program
from minirt.spec import Spec
from minirt.state import PAUSED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from minirt.oci.call import Call
    from minirt.state import State

LOG = "dump.log"


def dump(call: Call, state: State) -> None:
    """Write it to --image-path; HostError, and it goes on as before, where criu cannot."""
    spec = Spec(state.spec, whole=False)
    if spec.process.terminal:
        raise StateError(
            f"container {state.id} has a terminal, whose other end criu cannot write down",
            hint='checkpoint containers with "terminal": false',
        )
    path = program.find(call)
    images, work = program.directories(call)
    argv = [path, *options(call, state, spec)]
    program.make_directory(images, "--image-path")
    program.make_directory(work, "--work-path")
    if not call.words.on("--pre-dump"):
        found = outside.look(state.pid, spec)
        found.save(images)
        argv += found.dumped()
    was_paused = state.current() == PAUSED
    try:
        command.run(argv, program=path)
    except HostError as error:
        what = f"cannot checkpoint container {state.id}: {error.what}"
        raise program.failure(what, f"{work}/{LOG}") from None
    finally:
        _let_go(state, was_paused=was_paused)


def options(call: Call, state: State, spec: Spec) -> Iterator[str]:
    """Those of criu, but for what is outside."""
    words = call.words
    yield "pre-dump" if words.on("--pre-dump") else "dump"
    yield from ("--tree", str(state.pid), "--log-file", LOG, *program.common(call))
    if spec.rootfs:
        yield from ("--root", spec.rootfs)
    still = freezer.place(state.cgroups())
    if still:
        yield from ("--freeze-cgroup", still)
    if words.on("--leave-running"):
        yield "--leave-running"
    if words.on("--pre-dump") or words.text("--parent-path"):
        yield "--track-mem"
    if words.text("--parent-path"):
        yield from ("--prev-images-dir", words.text("--parent-path"))
    joined = {kind: spec.namespaces[kind] for kind in state.namespaces}
    yield from outside.namespaces(state.pid, joined)


def _let_go(state: State, *, was_paused: bool) -> None:
    """A criu that was killed leaves the container frozen."""
    still = freezer.place(state.cgroups())
    if still and freezer.frozen(still) and not was_paused:
        freezer.thaw(still)
