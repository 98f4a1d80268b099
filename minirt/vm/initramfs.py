"""What the guest's kernel starts from: an init, a static busybox and a few kernel modules."""

from __future__ import annotations

import hashlib
import os

from minirt.host import cache, debs
from minirt.vm import cpio, modules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.vm.kernel import Kernel

INIT = os.path.join(os.path.dirname(os.path.dirname(__file__)), "data", "guest-init.sh")
# The transport of microvm and virt, disk, ports, the image's file system, the writable layer.
MODULES = ("virtio_mmio", "virtio_blk", "virtio_console", "ext4", "overlay")


def build(kernel: Kernel) -> str:
    """The initramfs for `kernel`: a file in the cache, named by its content.

    HostError when the kernel lacks a module, or busybox cannot be downloaded.
    """
    content = archive(kernel, busybox(debs.fetch("busybox-static")))
    name = hashlib.sha256(content).hexdigest()[:32]
    final = f"{cache.directory()}/initramfs/{name}.cpio"
    if not os.path.exists(final):
        cache.make_directories(os.path.dirname(final))
        with cache.Writing("initramfs") as scratch:
            _write(f"{scratch}/new", content)
            os.rename(f"{scratch}/new", final)
    return final


def archive(kernel: Kernel, busybox: bytes) -> bytes:
    """The archive itself: the same input gives the same bytes."""
    order = modules.load_order(kernel.modules, MODULES)
    with open(INIT, "rb") as script:
        init = script.read()
    return cpio.archive(
        [
            cpio.file("init", init, mode=0o755),
            cpio.directory("bin"),
            cpio.file("bin/busybox", busybox, mode=0o755),
            cpio.directory("modules"),
            cpio.file("modules/order", "".join(f"{name}\n" for name, _ in order).encode()),
            *(cpio.file(f"modules/{name}", content) for name, content in order),
        ]
    )


def busybox(tree: str) -> bytes:
    """The program of an unpacked busybox-static package."""
    for path in (f"{tree}/bin/busybox", f"{tree}/usr/bin/busybox"):
        if os.path.exists(path):
            with open(path, "rb") as program:
                return program.read()
    raise FileNotFoundError(path)


def _write(path: str, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
