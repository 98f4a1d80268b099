"""events: print what a container uses, and when it runs out of memory, a JSON object a line."""

from __future__ import annotations

import os
import select
import sys
import time

from minirt.codec import dumps
from minirt.errors import ConfigError, StateError
from minirt.linux.oom import V1, V2, OutOfMemory
from minirt.linux.process import default_signals, ignored_realtime, pidfd_open
from minirt.oci import stats
from minirt.oci.parser import Option
from minirt.state import CREATED, PAUSED, RUNNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.codec import Json
    from minirt.oci.call import Call
    from minirt.state import State

ARGUMENTS = "ID"
OPTIONS = (
    Option("--interval", "DURATION", "time between two statistics, as 500ms (default: 5s)"),
    Option("--stats", "", "print the statistics once"),
)
UNITS_S = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def run(call: Call) -> int:
    interval = seconds(call.words.text("--interval", "5s"))
    state = call.loaded(lock=False)
    if state.current() not in (CREATED, RUNNING, PAUSED):
        raise StateError(f"container with id {state.id} is not running")
    if call.words.on("--stats"):
        say(stats.document(state.id, state.cgroups()))
        return 0
    _follow(state, interval)
    return 0


def seconds(text: str) -> float:
    """A duration as Go writes it: 5s, 500ms, 1m30s."""
    total, number, rest = 0.0, "", text
    while rest:
        digits = len(rest) - len(rest.lstrip("0123456789."))
        number, rest = rest[:digits], rest[digits:]
        letters = len(rest) - len(rest.lstrip("nushm"))
        unit, rest = rest[:letters], rest[letters:]
        try:
            total += float(number) * UNITS_S[unit]
        except (ValueError, KeyError):
            total = 0.0
            break
    if total <= 0:
        problem = f'"{text}" is not a duration greater than 0'
        raise ConfigError(problem, pointer="--interval", hint="write it as 5s or 500ms")
    return total


def say(event: dict[str, Json]) -> None:
    """At once: whoever reads waits for the line."""
    sys.stdout.write(f"{dumps(event)}\n")
    sys.stdout.flush()


def _follow(state: State, interval: float) -> None:
    """Until the container's init has ended, or nobody reads any more (SIGPIPE)."""
    default_signals(ignored_realtime())
    pidfd = pidfd_open(state.pid)
    memory = [d for d in state.cgroups() if _tells_of_memory(d)]
    watch = OutOfMemory(memory[0]) if memory else None
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    if watch is not None:
        poll.register(watch.fd, watch.events)
    due = time.monotonic() + interval
    while True:
        ready = dict(poll.poll(max(0.0, due - time.monotonic()) * 1000))
        if watch is not None and watch.fd in ready and watch.happened():
            say({"type": "oom", "id": state.id})
        if pidfd in ready:
            return
        if time.monotonic() >= due:
            say(stats.document(state.id, state.cgroups()))
            due += interval


def _tells_of_memory(directory: str) -> bool:
    return any(os.path.exists(f"{directory}/{file}") for file in (V1, V2))
