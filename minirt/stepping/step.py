"""Run one step: from the command line to the exit status."""

from __future__ import annotations

import os
import sys

from minirt import gc, state_root
from minirt import plan as plans
from minirt import state as states
from minirt.engine import foreground
from minirt.engine.container import warn
from minirt.engine.signals import Interrupted, raise_on_signals
from minirt.errors import ConfigError, HostError, MinirtError
from minirt.images import store
from minirt.spans import Recorder
from minirt.spec import Spec
from minirt.stepping import streams
from minirt.stepping.options import OPTIONS
from minirt.stepping.parser import parse, usage
from minirt.stepping.request import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from minirt.engine.container import Container
    from minirt.images.store import Image
    from minirt.plan import Plan
    from minirt.stepping.parser import Values

# What an ordinary user's container goes without: making these needs rights on the host. With
# an option for it, the cgroup is tried all the same: one may have been delegated.
NEED_ROOT = ("bridge", "veth", "nat", "names", "cgroup", "cgroup_ns")
LIMITS = ("--cpus", "--memory", "--pids", "--io-bps")


class Step:
    """One step of the course: its number, its story, and the mechanisms it adds, by name."""

    __slots__ = ("adds", "mechanisms", "number", "story")

    def __init__(
        self,
        number: int,
        story: str | None,
        adds: tuple[str, ...],
        former: Step | None = None,
    ) -> None:
        self.number = number
        self.story = (story or "").strip()
        self.adds = adds
        self.mechanisms: tuple[str, ...] = former.mechanisms if former else ()
        self.mechanisms += adds


def main(step: Step, run: Callable[[Step, Values], int] | None = None) -> None:
    """Run the step with the program's arguments, and exit with the command's status."""
    streams.open_missing()
    try:
        status = _main(step, sys.argv[1:], run or run_step)
    except MinirtError as error:
        streams.complain(error)
        status = error.exit_code
    except Interrupted as stop:
        status = stop.exit_code
    streams.leave(status)


def _main(step: Step, arguments: Sequence[str], run: Callable[[Step, Values], int]) -> int:
    values = parse(arguments, OPTIONS, step.number)
    if values.on("--help"):
        print(_help(step))
    elif values.on("--plan"):
        _spec, plan = planned(step, values, "/var/lib/minirt/plan")
        print("\n".join(f"{m.name:<14} {m.describe()}" for m in plan))
    elif values.on("--by-hand"):
        from minirt.stepping.by_hand import script

        print(script(*planned(step, values, "$dir")))
    else:
        return run(step, values)
    return 0


def _help(step: Step) -> str:
    program = f"python -m minirt.step{step.number}"
    return (
        f"usage: {program} [options] [--] [COMMAND ...]\n\n{step.story}\n\n"
        f"Without a command: an interactive shell.\n\noptions:\n{usage(OPTIONS, step.number)}\n\n"
        "exit status: the command's own; 128 + n when signal n ended it; 125 for an error of\n"
        "minirt; 126 and 127 when the command cannot be executed or does not exist."
    )


def requested(step: Step, values: Values, container_id: str, directory: str) -> Request:
    """The request behind the options, with its image, which is built when it is missing."""
    request = Request(step.number, values, container_id, directory)
    if step.number >= 3 and not values.on("--rootfs"):
        request.image = _image(values.text("--image", "busybox"))
    return request


def _image(name: str) -> Image:
    found = store.find(name)
    if found is None:
        from minirt.images import build

        build.ensure(name)
        if store.find(name) is None:
            raise HostError(f"the image {name} was built, but cannot be read back")
        # Start anew: a process that has built an image is large, and slow to clone.
        os.execv(sys.executable, sys.orig_argv)
    return found


def allowed(step: Step, values: Values) -> tuple[str, ...]:
    """The step's mechanisms, as far as this user can have them."""
    if os.geteuid() == 0:
        return step.mechanisms
    missing = left_out(step, values)
    return ("user", *(name for name in step.mechanisms if name not in missing))


def left_out(step: Step, values: Values) -> list[str]:
    """The mechanisms that an ordinary user's container goes without."""
    limited = any(values.on(option) for option in LIMITS)
    tried = ("cgroup", "cgroup_ns") if limited else ()
    return sorted(set(step.mechanisms).intersection(NEED_ROOT).difference(tried))


def planned(step: Step, values: Values, directory: str) -> tuple[Spec, Plan]:
    """What the step would do, from the same configuration as a run of it."""
    spec = Spec(requested(step, values, "plan", directory).config())
    return spec, plans.build(spec, allowed(step, values))


def run_step(step: Step, values: Values) -> int:
    """Run the command in a container; then write and show its trace."""
    raise_on_signals()
    check_trace_file(values)
    recorder = Recorder(os.environ.get("TRACEPARENT", ""), os.environ.get("TRACESTATE", ""))
    try:
        return run_container(step, values, recorder)
    finally:
        _show_trace(recorder, values)


def run_container(
    step: Step,
    values: Values,
    recorder: Recorder,
    observe: Callable[[Container], None] | None = None,
) -> int:
    """Run the command in a container; its exit status. `observe` is foreground.run's."""
    root = state_root.default()
    gc.collect(root, warn)
    container_id = os.urandom(6).hex()
    request = requested(step, values, container_id, f"{root}/{container_id}")
    config = request.config()
    if not values.on("--quiet"):
        _banner(step, values, request)
    truth = _kernel_truth(recorder) if values.on("--kernel") else None
    try:
        state = states.new(root, container_id)
        state.spec = config
        return foreground.run(
            state,
            recorder,
            allowed(step, values),
            propagate=not values.on("--no-trace"),
            observe=observe or _report_limits,
        )
    finally:
        if truth is not None:
            truth()


def _report_limits(container: Container) -> None:
    """Say which limit the container ran into: that it was killed, and not why, helps nobody."""
    directories = container.state.created.get("cgroup")
    if not container.spec.cgroup_resources or not isinstance(directories, list):
        return
    from minirt.linux.cgroup_events import events, in_words

    for sentence in in_words(events(map(str, directories))):
        warn(sentence)


def _banner(step: Step, values: Values, request: Request) -> None:
    """What a reader should know before the command's own output."""
    lines = []
    if step.number < 3 and not request.rootless:
        lines.append("this step still works on the machine's real files, as root")
    if request.rootless:
        missing = left_out(step, values)
        lines.append("you are not root: all of this happens in a user namespace of your own")
        if missing:
            lines.append(f"left out, since they need root: {', '.join(missing)}")
    for line in lines:
        print(f"minirt: step {step.number}: {line}", file=sys.stderr)


def _kernel_truth(recorder: Recorder) -> Callable[[], None]:
    if os.geteuid() != 0:
        raise HostError("--kernel reads the kernel's trace buffer", hint="run it as root: sudo")
    from minirt.telemetry import kernel

    return kernel.watch(recorder)


def check_trace_file(values: Values) -> None:
    """ConfigError now, and not when the command has ended, where no trace could be written."""
    if not values.on("--trace"):
        return
    path = values.text("--trace")
    if os.path.isdir(path):
        raise ConfigError(f"{path} is a directory", pointer="--trace", hint="name a file in it")
    directory = os.path.dirname(path) or "."
    if os.path.exists(path):
        if not os.access(path, os.W_OK):
            problem = f"cannot write to {path}"
            raise ConfigError(problem, pointer="--trace", hint="name another file")
    elif not os.access(directory, os.W_OK):
        raise ConfigError(
            f"cannot write below {directory}", pointer="--trace", hint="name another file"
        )


def _show_trace(recorder: Recorder, values: Values) -> None:
    """Draw the trace on stderr, and export it."""
    born = any(span.name == "clone3" for span in recorder.spans)
    export_trace(recorder, values, draw=born and not values.on("--quiet"))


def export_trace(recorder: Recorder, values: Values, *, draw: bool = False) -> None:
    """Write the trace to the file and the collector that were asked for; draw it on stderr."""
    exported = any(name.startswith("OTEL_EXPORTER_OTLP") for name in os.environ)
    if values.on("--no-trace") or not (draw or values.on("--trace") or exported):
        return
    from minirt import telemetry

    telemetry.finish(recorder, file=values.text("--trace"), waterfall=sys.stderr if draw else None)
