"""Virtual machines of QEMU whose disk is made of the same file tree: a boot for each run.

Both kinds boot the same kernel with the same init and the same virtio devices. The micro-VM has
neither firmware nor PCI, and its kernel was unpacked beforehand; the q35 is an ordinary PC, with
SeaBIOS and the kernel as the distribution packs it. "-tap" has a network device besides, a port of
minirt's bridge. Each is booted by a process of its own (booter.py), as a step runs its container.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench import process
from bench.subject import NONE, TAP, VM
from bench.subjects.booter import TIMEOUT
from bench.subjects.launched import Launched
from minirt.errors import HostError, MinirtError
from minirt.linux.tun import DEVICE
from minirt.vm import kernel
from minirt.vm.machine import MICROVM, Q35, find_kind, program
from minirt.vm.prepare import prepare

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from bench.subject import Run
    from bench.subjects.place import Place
    from minirt.vm.machine import Machine

LABELS = {MICROVM: "QEMU micro-VM", Q35: "QEMU q35"}
BOOTER = Path(__file__).with_name("booter.py")
LIMIT = 2 * TIMEOUT  # seconds; the booter gives up before


def machines(place: Place) -> list[Virtual]:
    """The micro-VM without and with a network, and the ordinary PC."""
    return [Virtual(place, MICROVM), Virtual(place, MICROVM, TAP), Virtual(place, Q35)]


class Virtual:
    """A VM of one kind, made by minirt: a distribution's kernel, an initramfs, a disk."""

    family = VM

    def __init__(self, place: Place, kind: str, network: str = NONE) -> None:
        self.place = place
        self.network = network
        plain = network == NONE
        self.name = kind if plain else f"{kind}-{network}"
        self.label = LABELS[kind] + ("" if plain else ", with a network")
        self.machine: Machine | None = None
        self._kind = kind

    def absent(self) -> str:
        try:
            find_kind(self._kind)
            program()
        except MinirtError as error:
            return error.what
        if self.network == TAP and (os.geteuid() != 0 or not os.path.exists(DEVICE)):
            return f"a tap needs root and {DEVICE}"
        return ""

    def note(self) -> str:
        """Known in full when it is set up."""
        machine = self.machine
        if machine is None:
            return ""
        packed = "packed" if machine.kind.packed else "unpacked beforehand"
        release = kernel.find().release
        made = (
            f"{machine.memory_mib} MiB and 1 vCPU; its kernel is {release}, {packed}, the host's"
            f" {os.uname().release}; disk and initramfs are built beforehand; what it writes stays"
            " in its memory; a fresh Python process boots it each time"
        )
        return f"emulated, not KVM: {machine.reason}; {made}" if machine.reason else made

    def __enter__(self) -> Self:
        self.machine = prepare([self.place.tree], kind=self._kind)
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def run(self, argv: Sequence[str]) -> Run:
        run = process.run(self.command("run", argv), timeout=LIMIT)
        *lines, last = [json.loads(text) for text, _at in run.lines]
        if last["status"] or not lines:
            said = "; ".join(text for text, *_ in lines) or "it said nothing"
            raise HostError(f"{self.name} ended with {last['status']}: {said}")
        run.lines = [(text, at) for text, at, _used in lines]
        run.used = [used for *_, used in lines]
        run.retries = last["retries"]
        run.phases = {name: (start, end) for name, (start, end) in last["phases"].items()}
        return run

    def launch(self, argv: Sequence[str]) -> Resident:
        resident = Resident(process.Process(self.command("stay", argv)))
        try:
            resident.begin()
        except BaseException:
            resident.__exit__()
            raise
        return resident

    def command(self, how: str, argv: Sequence[str]) -> list[str]:
        words = [self._kind, self.network, self.place.tree, how, *argv]
        return [sys.executable, "-I", str(BOOTER), *words]


class Resident(Launched):
    """A VM in which one program stays; it ends with the `with` block."""

    def begin(self) -> None:
        self.process.start()
        text, _at = self.process.line(LIMIT)
        self.address = json.loads(text)["address"]
        self.first = self.line(LIMIT)

    def cgroup(self) -> str:
        return ""

    def line(self, timeout: float) -> tuple[str, int]:
        text, at, _used = json.loads(super().line(timeout)[0])
        return text, at
