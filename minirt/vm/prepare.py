"""Everything that a VM is made of, found, downloaded or built, and kept in the cache."""

from __future__ import annotations

from minirt.vm import accelerator, initramfs, kernel, rootimage
from minirt.vm.machine import MICROVM, Machine, find_kind, program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from minirt.vm.accelerator import Accelerator
    from minirt.vm.kernel import Kernel
    from minirt.vm.tap import Tap


def prepare(
    layers: Sequence[str],
    *,
    kind: str = MICROVM,
    guest_kernel: Kernel | None = None,
    disk_format: str = rootimage.EXT4,
    memory_mib: int = 128,
    channels: int = 1,
    tap: Tap | None = None,
) -> Machine:
    """A machine that boots from an image's unpacked `layers` (lowest first).

    `kind` is one of machine.KINDS; `guest_kernel` the distribution's unless one is given;
    `channels` how many commands may run at a time; `tap` its network (tap.py).
    HostError when QEMU, a kernel or a program is missing.
    """
    program()  # before anything is downloaded for it
    what = find_kind(kind)
    disk_is = rootimage.find_format(disk_format)
    chosen_kernel = guest_kernel or kernel.find()
    ramdisk = initramfs.build(chosen_kernel, what, disk_is.name, network=tap is not None)
    machine = Machine(
        chosen_kernel.packed if what.packed else chosen_kernel.image,
        ramdisk,
        rootimage.build(layers, disk_is),
        accelerator=find_accelerator(chosen_kernel),
        memory_mib=memory_mib,
        kind=kind,
    )
    machine.channels, machine.tap = channels, tap
    return machine


def find_accelerator(guest_kernel: Kernel) -> Accelerator:
    """For all guests of this kernel: whether KVM works is asked of the least machine there is."""
    ramdisk = initramfs.build(guest_kernel, find_kind(MICROVM), rootimage.EXT4)
    return accelerator.choose(guest_kernel.image, ramdisk)
