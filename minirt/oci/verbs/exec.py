"""exec: a further process in a container that runs."""

from __future__ import annotations

from minirt.engine import exec as engine
from minirt.engine.attend import attend
from minirt.engine.signals import raise_on_signals
from minirt.errors import ConfigError, InitDied, KernelError, StateError
from minirt.oci import bundle, made, streams
from minirt.oci.parser import Option
from minirt.state import PAUSED, STOPPED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.codec import Json
    from minirt.engine.container import Container
    from minirt.oci.call import Call
    from minirt.oci.parser import Words
    from minirt.state import State

ARGUMENTS = "ID [COMMAND ...]"
# An exit status that the process could have had as well is no help, but this is what runc does.
FAILURE = 255
MOST = 2
OPTIONS = (
    Option("--process -p", "FILE", "the process as JSON, instead of COMMAND"),
    Option("--detach -d", "", "do not wait for its end"),
    Option("--pid-file", "FILE", "write its pid to FILE"),
    *streams.OPTIONS,
    Option("--tty -t", "", "give it a terminal"),
    Option("--user -u", "UID[:GID]", "run it as this user"),
    Option("--additional-gids -g", "GID", "a further group of it; can be repeated"),
    Option("--cwd", "DIR", "its working directory"),
    Option("--env -e", "NAME=VALUE", "a variable of it; can be repeated"),
    Option("--cap -c", "CAPABILITY", "a further capability of it; can be repeated"),
    Option("--no-new-privs", "", "let nothing that it executes gain rights"),
    Option("--apparmor", "PROFILE", "its AppArmor profile"),
    Option("--process-label", "LABEL", "its SELinux label"),
    Option("--cgroup", "PATH", "a cgroup below the container's; CONTROLLER:PATH on version 1"),
    Option("--ignore-paused", "", "wait in a paused container until it is resumed"),
)
GROWN = ("bounding", "effective", "permitted")


def run(call: Call) -> int:
    words = call.words
    preserve, detached = streams.preserved(words), words.on("--detach")
    state = call.loaded(lock=False)
    _require_running(state, ignore_paused=words.on("--ignore-paused"))
    process = requested(words, state)
    streams.check(words, process, detached=detached)
    raise_on_signals()
    cgroups = state.cgroups()
    if words.texts("--cgroup"):
        from minirt.oci import subcgroup

        cgroups = subcgroup.chosen(cgroups, words.texts("--cgroup"))
    container = engine.prepared(state, process, call.recorder, cgroups)
    container.preserve, container.detached = preserve, detached
    container.ctx.warn = call.log.warn
    if call.trace is not None:
        call.trace.executes(container)
    made.tell_of_capabilities(call, container)
    leave = engine.end
    try:
        _make(container)
        streams.hand_over(words, container)
        made.write_pid(words.text("--pid-file"), container.ctx.pid)
        if not detached:
            return attend(container, engine.start)
        engine.start(container)
        leave = engine.release
    finally:
        leave(container)
    return 0


def _make(container: Container) -> None:
    """Make the process; of a container that ends meanwhile, say that and not what failed for it."""
    try:
        engine.make(container)
    except (KernelError, InitDied):
        if container.state.init_alive():
            raise
        raise StateError("cannot exec in a stopped container: it ended meanwhile") from None


def _require_running(state: State, *, ignore_paused: bool) -> None:
    status = state.current()
    if status == STOPPED or not state.init_alive():
        raise StateError("cannot exec in a stopped container")
    if status == PAUSED and not ignore_paused:
        raise StateError("cannot exec in a paused container (use --ignore-paused to override)")


def requested(words: Words, state: State) -> dict[str, Json]:
    """The process that the command line, or its file, describes.

    What a file does not say, or says is null, is the default; but limits, rights and labels,
    which are the container's.
    """
    if words.text("--process"):
        bare: dict[str, Json] = {"args": [], "env": [], "cwd": "/", "user": {}, "consoleSize": {}}
        path = words.text("--process")
        said = bundle.object_of(path, hint="name another file: --process FILE")
        return {**bare, **{name: value for name, value in said.items() if value is not None}}
    command = words.arguments[1:]
    if not command:
        raise ConfigError("name a program, or --process FILE", pointer="COMMAND")
    given = state.spec.get("process")
    own: dict[str, Json] = dict(given) if isinstance(given, dict) else {}
    wanted: dict[str, Json] = {
        "args": list(command),
        "terminal": words.on("--tty"),
        "user": _user(words, own.get("user")),
        "env": [*_items(own.get("env")), *words.texts("--env")],
        "capabilities": _capabilities(words.texts("--cap"), own.get("capabilities")),
    }
    for option, member in (
        ("--cwd", "cwd"), ("--apparmor", "apparmorProfile"), ("--process-label", "selinuxLabel"),
    ):  # fmt: skip
        if words.text(option):
            wanted[member] = words.text(option)
    if words.on("--no-new-privs"):
        wanted["noNewPrivileges"] = True
    return wanted


def _user(words: Words, own: Json) -> dict[str, Json]:
    user = dict(own) if isinstance(own, dict) else {}
    uid, colon, gid = words.text("--user").partition(":")
    for member, text, named in (("uid", uid, bool(uid)), ("gid", gid, bool(colon))):
        if named and not text.isdecimal():
            what = f'"{words.text("--user")}" is not UID or UID:GID'
            raise ConfigError(what, pointer="--user", hint="use numbers")
        if named:
            user[member] = int(text)
    groups = words.texts("--additional-gids")
    if not all(group.isdecimal() for group in groups):
        raise ConfigError("must be numbers", pointer="--additional-gids")
    return {**user, "additionalGids": [*_items(user.get("additionalGids")), *map(int, groups)]}


def _capabilities(names: list[str], own: Json) -> dict[str, Json]:
    """The container's sets, and these; inheritable stays as it is, so that no other user gains."""
    sets: dict[str, Json] = dict(own) if isinstance(own, dict) else {}
    return {**sets, **{kind: [*_items(sets.get(kind)), *names] for kind in GROWN}}


def _items(value: Json) -> list[Json]:
    return list(value) if isinstance(value, list) else []
