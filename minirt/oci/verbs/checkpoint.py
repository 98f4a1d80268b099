"""checkpoint: write the processes of a container to files, by criu(8)."""

from __future__ import annotations

from minirt.errors import ConfigError, StateError
from minirt.oci.parser import Option
from minirt.state import PAUSED, RUNNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.oci.call import Call

ARGUMENTS = "ID"
# What a restore may be told too.
SHARED = (
    Option("--image-path", "DIR", "where the files are (default: ./checkpoint)"),
    Option("--work-path", "DIR", "where criu writes its log (default: with the files)"),
    Option("--tcp-established", "", "allow open TCP connections"),
    Option("--ext-unix-sk", "", "allow Unix sockets that are connected to the outside"),
    Option("--shell-job", "", "allow processes of a session that is not the container's"),
    Option("--file-locks", "", "allow locked files"),
    Option("--auto-dedup", "", "punch out of earlier files what later ones replace"),
    Option("--manage-cgroups-mode", "MODE", "soft (default), full, strict or ignore"),
    Option("--empty-ns", "NAME", "network: do not keep what is in that namespace"),
    Option("--lazy-pages", "", "refused"),
)
OPTIONS = (
    *SHARED,
    Option("--leave-running", "", "let the container go on"),
    Option("--pre-dump", "", "only its memory, and let it go on; a first step"),
    Option("--parent-path", "DIR", "the files of the step before, relative to --image-path"),
)


def run(call: Call) -> int:
    refuse_lazy(call)
    state = call.loaded()
    if state.current() not in (RUNNING, PAUSED):
        raise StateError(f"cannot checkpoint container {state.id}: it is {state.current()}")
    from minirt.oci.criu.dump import dump

    dump(call, state)
    if not call.words.on("--leave-running") and not call.words.on("--pre-dump"):
        from minirt.engine.container import load
        from minirt.engine.destroy import destroy

        container = load(state, call.recorder, ("teardown",), call.log.warn)
        destroy(container)
        if call.trace is not None:
            call.trace.ended(container)
    return 0


def refuse_lazy(call: Call) -> None:
    if call.words.on("--lazy-pages"):
        raise ConfigError("minirt cannot move memory on demand", pointer="--lazy-pages")
