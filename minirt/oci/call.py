"""One call of the runtime: what was asked for, where its state is, where it reports."""

from __future__ import annotations

import os
from time import monotonic_ns

from minirt import state as states
from minirt import state_root
from minirt.errors import ConfigError, StateError
from minirt.oci.log import Log
from minirt.oci.parser import Option
from minirt.untraced import Untraced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.codec import Json
    from minirt.oci.parser import Words
    from minirt.oci.tracing import Tracing
    from minirt.state import State
    from minirt.untraced import Tracer

# By these environment variables the traces of all containers are switched on, by this annotation
# that of one.
TRACED = "minirt.dev/trace"
SWITCHES = ("MINIRT_TRACE", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
MANAGERS = CGROUPFS, SYSTEMD, DISABLED = ("cgroupfs", "systemd", "disabled")
HELP = Option("--help -h", "", "print this")
GLOBAL = (
    Option(
        "--root",
        "DIR",
        "where states are kept (default: /run/minirt-oci for root, else "
        "$XDG_RUNTIME_DIR/minirt-oci, else /tmp/UID/minirt-oci)",
    ),
    Option("--log", "FILE", "write messages to FILE too"),
    Option("--log-format", "FORMAT", "text (default) or json", ("text", "json")),
    Option("--debug", "", "tell of each phase, as it begins and ends"),
    Option("--systemd-cgroup", "", "make cgroups by asking systemd"),
    Option("--cgroup-manager", "NAME", "cgroupfs (default), systemd or disabled", MANAGERS),
    Option("--rootless", "MODE", "ignored: it is found out"),
    Option("--criu", "PATH", "the program for checkpoint and restore"),
    HELP,
    Option("--version -v", "", "print the version"),
)


class Call:
    """`options` are the global ones, `words` the verb's own; `trace` is None while it is off."""

    __slots__ = ("began", "log", "options", "recorder", "trace", "words")

    def __init__(self, options: Words, words: Words) -> None:
        self.options = options
        self.words = words
        self.log = Log(options)
        self.began = monotonic_ns()
        self.recorder: Tracer = self._recorder()
        self.trace: Tracing | None = None

    def _recorder(self) -> Tracer:
        if not self.log.debugging:
            return Untraced()
        from minirt.oci.telling import Telling

        return Telling(self.log)

    @property
    def root(self) -> str:
        """--root, else the one that `minirt gc` knows too."""
        given = self.options.text("--root")
        return os.path.abspath(given) if given else state_root.of_engines()

    @property
    def id(self) -> str:
        """The first argument."""
        if not self.words.arguments:
            raise ConfigError("needs the id of a container", pointer="ID", hint="see --help")
        return self.words.arguments[0]

    @property
    def root_key(self) -> str:
        """8 hex digits that tell our containers from those of the same id below another root."""
        return f"{states.fnv1a(self.root):08x}"

    def loaded(self, *, lock: bool = True) -> State:
        """The container's record, locked unless it is only to be looked at; StateError."""
        state = states.State(self.root, self.id)
        if lock and not state.lock(wait=True):
            raise StateError(f"container {self.id} does not exist")
        try:
            state.load()
        except BaseException:
            state.unlock()
            raise
        self.follow(state)
        return state

    def begin(self, document: dict[str, Json]) -> None:
        """Trace the container that is made of `document`, if that or the environment wants it."""
        annotations = document.get("annotations")
        wanted = isinstance(annotations, dict) and TRACED in annotations
        if wanted or any(name in os.environ for name in SWITCHES):
            from minirt.oci import tracing

            self.trace = tracing.begin(self, annotations)

    def follow(self, state: State) -> None:
        """Go on with the trace of the container's that `create` has begun, if it has."""
        if state.trace:
            from minirt.oci import tracing

            self.trace = tracing.follow(self, state)

    def end(self, status: int, error: BaseException | None = None) -> None:
        """It is done, or has failed."""
        if self.trace is not None:
            self.trace.end(status, error)
