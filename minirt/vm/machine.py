"""What a VM is made of: which machine QEMU imitates, and with which kernel, disk and memory.

microvm  no PCI bus, no firmware to speak of, and a kernel that is unpacked already: the least
q35      an ordinary PC: SeaBIOS, PCI, and the distribution's bzImage, which unpacks itself
"""

from __future__ import annotations

import os
import shutil

from minirt.errors import ConfigError, HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from minirt.vm.accelerator import Accelerator
    from minirt.vm.tap import Tap

KVM, TCG = "kvm", "tcg"
MICROVM, Q35 = KINDS = ("microvm", "q35")


class Kind:
    """A machine of QEMU's: its name there, and what follows from the choice.

    `bus` ends the names of virtio devices, `modules` are for it, `packed` is whether it boots
    the distribution's packed kernel, `timers` whether a guest can find out its TSC's rate.
    """

    __slots__ = ("bus", "machine", "modules", "packed", "timers")

    def __init__(
        self, machine: str, *, bus: str, modules: tuple[str, ...], packed: bool, timers: bool
    ) -> None:
        self.machine = machine
        self.bus = bus
        self.modules = modules
        self.packed = packed
        self.timers = timers


class Architecture:
    """What QEMU and Linux call the machines of one processor architecture."""

    __slots__ = ("console", "kinds", "package", "processor", "program")

    def __init__(
        self, program: str, *, package: str, kinds: Mapping[str, Kind], processor: str, console: str
    ) -> None:
        self.program = program
        self.package = package
        self.kinds = kinds
        self.processor = processor  # under TCG, "" for QEMU's default; under KVM it is the host's
        self.console = console


ARCHITECTURES: Mapping[str, Architecture] = {
    "x86_64": Architecture(
        "qemu-system-x86_64",
        package="qemu-system-x86",
        kinds={
            MICROVM: Kind(
                "microvm", bus="device", modules=("virtio_mmio",), packed=False, timers=False
            ),
            Q35: Kind("q35", bus="pci", modules=("virtio_pci",), packed=True, timers=True),
        },
        processor="",
        console="ttyS0",
    ),
    "aarch64": Architecture(
        "qemu-system-aarch64",
        package="qemu-system-arm",
        kinds={
            MICROVM: Kind(
                "virt", bus="device", modules=("virtio_mmio",), packed=False, timers=True
            ),
        },
        processor="cortex-a72",
        console="ttyAMA0",
    ),
}


class Machine:
    """Paths of kernel, initramfs and disk, the accelerator, memory; and how it is connected.

    `disk` may be "": a machine that only has to reach its init. `channels` is how many commands
    can run at a time. `tap` is its network, None for none.
    """

    __slots__ = (
        "accelerator", "channels", "disk", "initramfs", "kernel", "kind", "memory_mib", "reason",
        "tap",
    )  # fmt: skip

    def __init__(
        self,
        kernel: str,
        initramfs: str,
        disk: str,
        *,
        accelerator: Accelerator,
        memory_mib: int = 128,
        kind: str = MICROVM,
    ) -> None:
        self.kernel = kernel
        self.initramfs = initramfs
        self.disk = disk
        self.accelerator = accelerator.name
        self.reason = accelerator.reason
        self.memory_mib = memory_mib
        self.kind = find_kind(kind)
        self.channels = 1
        self.tap: Tap | None = None


def program() -> str:
    """QEMU's path. HostError names the package when it is not installed."""
    found = architecture()
    path = shutil.which(found.program)
    if path is None:
        raise HostError(
            f"{found.program} is not installed",
            hint=f"apt-get install --no-install-recommends {found.package}",
        )
    return path


def architecture() -> Architecture:
    """Of this machine, and so of its guests; HostError when minirt knows no VM for it."""
    name = os.uname().machine
    if name not in ARCHITECTURES:
        raise HostError(
            f"a VM is not possible here: minirt knows no QEMU machine for {name}",
            hint="use an x86_64 or aarch64 machine",
        )
    return ARCHITECTURES[name]


def find_kind(name: str) -> Kind:
    """The kind of machine `name`; ConfigError when there is none on this architecture."""
    kinds = architecture().kinds
    if name not in kinds:
        raise ConfigError(
            f'there is no machine "{name}" on {os.uname().machine}',
            pointer="kind",
            hint=f"choose one of: {', '.join(kinds)}",
        )
    return kinds[name]
