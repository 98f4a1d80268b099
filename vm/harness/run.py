"""One run: boot a guest, twice if need be, give it its order and take its report."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from minirt.errors import HostError
from minirt.host.progress import say
from vm.harness import selection
from vm.harness.guest import Guest
from vm.harness.verdict import Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vm.harness.guest import Machine

ATTEMPTS = 2
SHUTDOWN_SECONDS = 15.0


class BootError(HostError):
    """The guest did not get as far as to ask for its order."""


class Order:
    """What the guest is to do: pytest with these arguments, in `directory`.

    Where they name no test, they choose among the guest's own.
    `cache` is this machine's cache of packages, which the guest's root will find as its own.
    """

    __slots__ = ("arguments", "cache", "directory")

    def __init__(self, directory: str, arguments: Sequence[str], cache: str) -> None:
        self.directory = directory
        self.arguments = arguments
        self.cache = cache

    def line(self, tests: Sequence[str]) -> str:
        arguments = selection.arguments(self.arguments, tests, self.directory)
        return json.dumps(
            {"directory": self.directory, "arguments": arguments, "cache": self.cache}
        )


def run(machine: Machine, order: Order, seconds: float) -> Report:
    """Boot `machine` and have it do `order` within `seconds`.

    BootError when it does not boot, at the first attempt where no other can help; HostError when
    it ends without a report or not in time.
    """
    problem = ""
    for attempt in range(ATTEMPTS):
        with Guest(machine) as guest:
            if guest.wait_for("ready", machine.boot_seconds):
                say(f"Linux {guest.words['ready']} ({machine.name}) runs the tests")
                guest.ask(order.line(machine.tests))
                return _report(guest, seconds)
            if never := guest.never_boots():
                raise BootError(f"the guest ({machine.name}) does not boot: {never}")
            problem = _why_not(guest, machine)
        if attempt + 1 < ATTEMPTS:
            say(f"{problem}\nminirt: starting it once more")
    raise BootError(f"{problem}\nminirt: it was started {ATTEMPTS} times")


def _why_not(guest: Guest, machine: Machine) -> str:
    how = (
        "ended while it booted"
        if guest.ended()
        else f"did not boot within {machine.boot_seconds:g} s"
    )
    return f"the guest ({machine.name}) {how}; it said:\n{guest.last_lines() or 'nothing'}"


def _report(guest: Guest, seconds: float) -> Report:
    if not guest.wait_for("end", seconds):
        if guest.ended():
            raise HostError("the guest ended without a result", hint="read its last lines above")
        raise HostError(f"the tests did not come to an end in {seconds:g} s: the guest is killed")
    if not guest.wait_for_end(SHUTDOWN_SECONDS):
        say("the guest did not switch itself off: it is killed")
    words = guest.words
    junit = base64.b64decode(words.get("junit", ""))
    return Report(int(words["end"]), junit, words.get("cgroup", "unknown"))
