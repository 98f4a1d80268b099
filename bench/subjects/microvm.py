"""Virtual machines of QEMU whose disk is made of the same file tree: a boot for each run.

Both boot the same kernel with the same init and the same virtio devices. The micro-VM has neither
firmware nor PCI, and its kernel was unpacked beforehand; the q35 is an ordinary PC, with SeaBIOS
and the kernel as the distribution packs it.
"""

from __future__ import annotations

import contextlib
import os
from time import monotonic_ns
from typing import TYPE_CHECKING

from bench.subject import VM, Run
from minirt.errors import HostError, MinirtError
from minirt.linux.tun import DEVICE
from minirt.vm.guest import Guest
from minirt.vm.machine import MICROVM, Q35, find_kind, program
from minirt.vm.prepare import prepare
from minirt.vm.tap import Tap

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from bench.subjects.place import Place
    from minirt.vm.job import Job
    from minirt.vm.machine import Machine

LABELS = {MICROVM: "QEMU micro-VM", Q35: "QEMU q35"}
TIMEOUT = 120.0  # seconds; a program that is emulated may take many times longer


def machines(place: Place) -> list[Virtual]:
    """The micro-VM, and the ordinary PC."""
    return [Virtual(place, kind) for kind in LABELS]


class Virtual:
    """A VM of one kind, made by minirt: a distribution's kernel, an initramfs, a disk."""

    family = VM

    def __init__(self, place: Place, kind: str) -> None:
        self.place = place
        self.name, self.label = kind, LABELS[kind]
        self._kind = kind
        self._machine: Machine | None = None

    def absent(self) -> str:
        try:
            find_kind(self._kind)
            program()
        except MinirtError as error:
            return error.what
        return ""

    def note(self) -> str:
        reason = self._machine.reason if self._machine else ""
        return f"emulated, not KVM: {reason}" if reason else ""

    def __enter__(self) -> Self:
        self._machine = prepare([self.place.tree], kind=self._kind)
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def run(self, argv: Sequence[str]) -> Run:
        if self._machine is None:
            raise HostError(f"{self.name} is not set up")
        began = monotonic_ns()
        with Guest(self._machine, hostname="bench") as guest:
            job = guest.run(argv, env={}, timeout=TIMEOUT)
            guest.shut_down()  # here, where a failure to do so is an error and not a warning
        if job.status or not job.lines:
            raise HostError(f"{self.name} ended with {job.status}: {bytes(job.output[:200])!r}")
        run = Run(began, monotonic_ns(), job.status, job.lines, guest.session.qemu.cpu_s)
        run.phases.update(guest.phases())
        return run

    def launch(self, argv: Sequence[str]) -> Resident:
        """With a network where this user may make one, and none elsewhere."""
        networked = os.geteuid() == 0 and os.path.exists(DEVICE)
        with contextlib.ExitStack() as stack:
            tap = stack.enter_context(Tap()) if networked else None
            machine = prepare([self.place.tree], kind=self._kind, tap=tap)
            guest = stack.enter_context(Guest(machine, hostname="bench"))
            job = guest.launch(argv, env={}, open_input=True)
            resident = Resident(guest, job)
            resident.first = resident.line(TIMEOUT)
            resident.undo = stack.pop_all()
        return resident


class Resident:
    """A VM in which one program stays; it ends with the `with` block."""

    def __init__(self, guest: Guest, job: Job) -> None:
        self.address = guest.address
        self.first: tuple[str, int] = ("", 0)
        self.undo = contextlib.ExitStack()
        self._guest, self._job = guest, job

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.undo.close()

    def pids(self) -> list[int]:
        return [self._guest.pid]

    def cgroup(self) -> str:
        return ""

    def line(self, timeout: float) -> tuple[str, int]:
        try:
            return self._job.line(timeout)
        except MinirtError as error:
            if self._job.closed or not self._guest.session.alive:
                raise
            raise TimeoutError(error.what) from None
