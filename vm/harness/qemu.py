"""QEMU with the distribution's full kernel: for processors that User Mode Linux does not run on.

The machine's root comes over 9p. The board is QEMU's usual one and not microvm: it has timers that
a busy host cannot lead astray, and PCI on each architecture.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path

from minirt.errors import HostError
from minirt.host import cache, debs
from minirt.host.packages import QEMU
from minirt.vm import accelerator, cpio, initramfs, modules
from vm.harness import kernel, selection
from vm.harness.guest import Machine

BOOT_SECONDS = {"kvm": 30.0, "tcg": 120.0}  # emulated, it takes 8 on an idle machine
MEMORY_MIB = 1024
DISK_BYTES = 64 << 20
CHANNEL = "/dev/vport*p1"
# Board, processor when emulated, console.
BOARDS = {"x86_64": ("q35", "max", "ttyS0"), "aarch64": ("virt", "max", "ttyAMA0")}
# The root, the disk, the channel; then what containers need.
MODULES = (
    "virtio_pci", "9pnet_virtio", "9p", "virtio_blk", "virtio_console",
    # libcrc32c asks for it by the name of an algorithm, which no file names as a dependency.
    "crc32c_generic",
    "ext4", "brd", "overlay", "veth", "bridge", "nf_tables", "nft_chain_nat", "nft_masq", "nft_ct",
    # What criu looks for.
    "unix_diag", "inet_diag", "tcp_diag", "udp_diag", "raw_diag", "af_packet_diag", "netlink_diag",
    "tun",
)  # fmt: skip
INIT = Path(__file__).with_name("qemu-init.sh")


def machine() -> Machine:
    """HostError where QEMU or the kernel is not to be had."""
    program = _program()  # before anything is downloaded for it
    image, directory = kernel.find()
    ramdisk = _write(archive(directory))
    chosen = accelerator.choose(image, ramdisk).name

    def start(channel: int) -> list[str]:
        return [program, *command_line(image, ramdisk, chosen, channel)]

    return Machine(f"QEMU, {chosen.upper()}", start, BOOT_SECONDS[chosen], tests=selection.QEMU)


def _program() -> str:
    package, name = QEMU.get(os.uname().machine, ("", ""))
    if not name:
        raise HostError(f"the harness knows no QEMU machine for {os.uname().machine}")
    if path := shutil.which(name):
        return path
    hint = f"apt-get install --no-install-recommends {package}"
    raise HostError(f"{name} is not installed", hint=hint)


def archive(directory: str) -> bytes:
    """The initramfs: qemu-init.sh, a static busybox, and MODULES of the kernel's `directory`."""
    order = modules.load_order(directory, MODULES)
    busybox = initramfs.busybox(debs.fetch("busybox-static"))
    return cpio.archive(
        [
            cpio.file("init", INIT.read_bytes(), mode=0o755),
            cpio.directory("bin"),
            cpio.file("bin/busybox", busybox, mode=0o755),
            cpio.directory("modules"),
            cpio.file("modules/order", "".join(f"{name}\n" for name, _ in order).encode()),
            *(cpio.file(f"modules/{name}", content) for name, content in order),
        ]
    )


def _write(content: bytes) -> str:
    """The initramfs as a file of the cache, named by its content."""
    directory = cache.make_directories(f"{cache.directory()}/harness")
    final = f"{directory}/{hashlib.sha256(content).hexdigest()[:32]}.cpio"
    if not os.path.exists(final):
        with cache.Writing("harness") as scratch:
            Path(scratch, "new").write_bytes(content)
            os.rename(f"{scratch}/new", final)
    return final


def command_line(image: str, ramdisk: str, chosen: str, channel: int) -> list[str]:
    """QEMU's arguments; of the guest's kernel, what follows `--` is for its init."""
    board, emulated, console = BOARDS[os.uname().machine]
    init = f"-- {sys.executable} -I {Path(__file__).with_name('init.py')} {CHANNEL}"
    return [
        "-machine", f"{board},accel={chosen}",
        "-cpu", "host" if chosen == "kvm" else emulated,
        "-m", str(MEMORY_MIB), "-smp", "1",
        "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot",
        "-kernel", image, "-initrd", ramdisk,
        "-append", f"console={console} quiet panic=-1 random.trust_cpu=on {init}",
        "-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap",
        "-device", "virtio-9p-pci,fsdev=host,mount_tag=host",
        "-device", "virtio-serial-pci",
        "-chardev", f"socket,id=channel,fd={channel}",
        "-device", "virtserialport,chardev=channel,nr=1",
        # An empty disk that is no file: it forgets what is written.
        "-drive", f"driver=null-co,size={DISK_BYTES},if=none,id=disk",
        "-device", "virtio-blk-pci,drive=disk",
    ]  # fmt: skip
