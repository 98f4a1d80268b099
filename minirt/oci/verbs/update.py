"""update: change the limits of a container."""

from __future__ import annotations

import sys

from minirt.engine.update import update
from minirt.errors import ConfigError, StateError
from minirt.oci import bundle
from minirt.oci.parser import Option
from minirt.resources import UNITS
from minirt.state import CREATED, PAUSED, RUNNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.codec import Json
    from minirt.oci.call import Call
    from minirt.oci.parser import Words

ARGUMENTS = "ID"
# Each option, the member of linux.resources it sets, and what kind of value it takes.
NUMBER, BYTES, TEXT = "N", "BYTES", "LIST"
FIELDS = (
    ("--blkio-weight", "blockIO/weight", NUMBER, "share of the disks, 10 to 1000"),
    ("--cpu-period", "cpu/period", NUMBER, "period of the quota, in us"),
    ("--cpu-quota", "cpu/quota", NUMBER, "processor time in a period, in us; -1 for no limit"),
    ("--cpu-burst", "cpu/burst", NUMBER, "unused quota that may be used later, in us"),
    ("--cpu-share --cpu-shares", "cpu/shares", NUMBER, "weight among others"),
    ("--cpu-rt-period", "cpu/realtimePeriod", NUMBER, "period of real-time tasks, in us"),
    ("--cpu-rt-runtime", "cpu/realtimeRuntime", NUMBER, "time of real-time tasks in it, in us"),
    ("--cpu-idle", "cpu/idle", NUMBER, "1: run only when nobody else wants to"),
    ("--cpuset-cpus", "cpu/cpus", TEXT, "processors to use, as 0-2,4"),
    ("--cpuset-mems", "cpu/mems", TEXT, "memory nodes to use"),
    ("--memory", "memory/limit", BYTES, "limit, as 64m; -1 for none"),
    ("--memory-reservation", "memory/reservation", BYTES, "what it keeps when memory is short"),
    ("--memory-swap", "memory/swap", BYTES, "limit on memory and swap together; -1 for none"),
    ("--pids-limit", "pids/limit", NUMBER, "processes and threads; -1 for no limit"),
)
OPTIONS = (
    Option("--resources -r", "FILE", "read linux.resources from FILE, or - for stdin"),
    *(Option(names, kind, text) for names, _, kind, text in FIELDS),
)


def run(call: Call) -> int:
    resources = _resources(call.words)
    state = call.loaded()
    if state.current() not in (CREATED, RUNNING, PAUSED):
        raise StateError(f"container not running: {state.id} is {state.current()}")
    update(state, resources)
    return 0


def _resources(words: Words) -> dict[str, Json]:
    """What the options ask for; a file of resources takes the place of all others."""
    path = words.text("--resources")
    if path == "-":
        return bundle.parsed(sys.stdin.buffer.read(), "standard input", "--resources")
    if path:
        return bundle.object_of(path, hint="name another file: --resources FILE")
    found: dict[str, dict[str, Json]] = {}
    for names, member, kind, _ in FIELDS:
        option = names.split()[0]
        if words.texts(option):
            part, _, name = member.partition("/")
            found.setdefault(part, {})[name] = _value(words, option, kind)
    if not found:
        raise ConfigError("says nothing to change", pointer="update", hint="see update --help")
    return dict(found)


def _value(words: Words, option: str, kind: str) -> Json:
    if kind == NUMBER:
        return words.number(option)
    text = words.text(option)
    return text if kind == TEXT else _bytes(text, option)


def _bytes(text: str, option: str) -> int:
    """67108864, 64m, 64M, 64MiB: units are powers of 1024, as in runc; -1 for no limit."""
    lower = text.lower().removesuffix("b").removesuffix("i")
    number, unit = lower.rstrip("kmgt"), lower.lstrip("-0123456789.")
    try:
        return int(float(number) * UNITS[unit]) if "." in number else int(number) * UNITS[unit]
    except (ValueError, KeyError):
        problem = f'"{text}" is not a number of bytes'
        raise ConfigError(problem, pointer=option, hint="write it as 64m") from None
