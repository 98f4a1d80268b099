"""What the guest's kernel starts from: an init, a static busybox and a few kernel modules."""

from __future__ import annotations

import hashlib
import os

from minirt.host import cache, debs
from minirt.vm import cpio, modules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from minirt.vm.kernel import Kernel
    from minirt.vm.machine import Kind

INIT = os.path.join(os.path.dirname(os.path.dirname(__file__)), "data", "guest-init.sh")
# Disk, ports, the writable layer. The machine's bus and the disk's format come from the caller.
MODULES = ("virtio_blk", "virtio_console", "overlay")
NETWORK = ("virtio_net",)


def build(kernel: Kernel, kind: Kind, disk_format: str, *, network: bool = False) -> str:
    """The initramfs for `kernel`: a file in the cache, named by its content.

    HostError when the kernel lacks a module, or busybox cannot be downloaded.
    """
    wanted = [*kind.modules, *MODULES, disk_format, *(NETWORK if network else ())]
    content = archive(kernel, busybox(debs.fetch("busybox-static")), wanted, disk_format)
    name = hashlib.sha256(content).hexdigest()[:32]
    final = f"{cache.directory()}/initramfs/{name}.cpio"
    if not os.path.exists(final):
        cache.make_directories(os.path.dirname(final))
        with cache.Writing("initramfs") as scratch:
            _write(f"{scratch}/new", content)
            os.rename(f"{scratch}/new", final)
    return final


def archive(kernel: Kernel, busybox: bytes, wanted: Sequence[str], disk_format: str) -> bytes:
    """The archive itself: the same input gives the same bytes."""
    order = modules.load_order(kernel.modules, wanted)
    with open(INIT, "rb") as script:
        init = script.read()
    return cpio.archive(
        [
            cpio.file("init", init, mode=0o755),
            cpio.directory("bin"),
            cpio.file("bin/busybox", busybox, mode=0o755),
            cpio.file("format", f"{disk_format}\n".encode()),
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
