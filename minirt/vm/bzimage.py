"""Cut the ELF kernel out of a bzImage (boot.rst in the kernel's docs, "The real-mode header").

A guest that is emulated would spend seconds on unpacking it; the host needs half a second, once.
"""

from __future__ import annotations

import struct

from minirt.errors import HostError
from minirt.vm.compression import GZIP, decompress

SETUP_SECTORS = 0x1F1
MAGIC = 0x202
PAYLOAD = struct.Struct("<II")  # offset from the end of the set-up code, length
PAYLOAD_AT = 0x248
SECTOR = 512
ELF = b"\x7fELF"


def payload(image: bytes) -> bytes:
    """The packed kernel inside `image`. HostError when `image` is no bzImage."""
    if image[MAGIC : MAGIC + 4] != b"HdrS" or len(image) < PAYLOAD_AT + PAYLOAD.size:
        raise HostError("the kernel is not a bzImage")
    offset, length = PAYLOAD.unpack_from(image, PAYLOAD_AT)
    start = ((image[SETUP_SECTORS] or 4) + 1) * SECTOR + offset
    packed = image[start : start + length]
    # All packers but gzip are followed by the unpacked size, which is not theirs
    # (scripts/Makefile.lib, size_append).
    return packed if packed.startswith(GZIP) else packed[:-4]


def vmlinux(image: bytes) -> bytes:
    """The ELF kernel of `image`, a bzImage or an ELF kernel already; HostError for others."""
    kernel = image if image.startswith(ELF) else decompress(payload(image), what="the kernel")
    if not kernel.startswith(ELF):
        raise HostError("the kernel inside the bzImage is packed in a way minirt does not know")
    return kernel
