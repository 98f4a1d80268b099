"""A QEMU micro-VM whose disk is made of the same file tree: a boot for each run."""

from __future__ import annotations

import resource
from time import monotonic_ns
from typing import TYPE_CHECKING

from bench.subject import VM, Run
from minirt.errors import HostError, MinirtError
from minirt.vm import accelerator, guest, initramfs, kernel
from minirt.vm.qemu import program

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from bench.subject import Instance
    from bench.subjects.place import Place


class MicroVM:
    """minirt's own micro-VM: a distribution's kernel, an initramfs, the tree as a disk."""

    name, label, family = "microvm", "QEMU micro-VM", VM

    def __init__(self, place: Place) -> None:
        self.place = place
        self._emulated = ""

    def absent(self) -> str:
        try:
            program()
        except MinirtError as error:
            return error.what
        return ""

    def note(self) -> str:
        return self._emulated

    def __enter__(self) -> Self:
        found = kernel.find()
        chosen = accelerator.choose(found.image, initramfs.build(found))
        self._emulated = f"emulated, not KVM: {chosen.reason}" if chosen.reason else ""
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def run(self, argv: Sequence[str]) -> Run:
        before = children_s()
        began = monotonic_ns()
        result = guest.boot([self.place.tree], argv, env={}, hostname="bench")
        if result.status or not result.output:
            raise HostError(f"{self.name} ended with {result.status}: {result.output[:200]!r}")
        # What is printed has no times of its own here: the first line is as late as the mark
        # right before the program, the others as its end.
        texts = result.output.decode(errors="replace").splitlines()
        at = [result.at("start"), *[result.at("end")] * (len(texts) - 1)]
        run = Run(began, result.at("exit"), result.status, list(zip(texts, at, strict=True)))
        run.cpu_s = children_s() - before  # one VM at a time, or it is that of others too
        run.phases.update(
            {
                name: (result.at(first), result.at(last))
                for name, first, last in guest.PHASES
                if result.at(first) and result.at(last)
            }
        )
        return run

    def launch(self, argv: Sequence[str]) -> Instance:
        raise HostError(f"{self.name} cannot keep {argv[0]} running")


def children_s() -> float:
    """The processor time of all children that have ended, in seconds."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
