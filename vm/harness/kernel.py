"""The distribution's kernel for every machine: it has 9p, which kernels for clouds have not.

As minirt/vm/kernel.py finds the small one: in its package, unpacked into the cache.
"""

from __future__ import annotations

import os
from pathlib import Path

from minirt.errors import HostError
from minirt.host import cache, debs
from minirt.host.progress import Progress
from minirt.vm import bzimage
from minirt.vm.kernel import ARCHITECTURES, PACKED

# The package that depends on the newest one; the package of its modules where that is another.
PACKAGES = {
    "debian": ("linux-image-{architecture}", ""),
    "ubuntu": ("linux-image-generic", "linux-modules-{release}"),
}


def find() -> tuple[str, str]:
    """The kernel's file, and the directory of its modules; downloaded at the first call.

    HostError when this distribution or architecture has none, or it cannot be downloaded.
    """
    metapackage, with_modules = packages(Path("/etc/os-release").read_text(), os.uname().machine)
    tree = debs.fetch(debs.dependency(metapackage))
    packed = next(Path(tree, "boot").glob(f"{PACKED}*"))
    release = packed.name.removeprefix(PACKED)
    if with_modules:
        tree = debs.fetch(with_modules.format(release=release))
    for lib in ("lib", "usr/lib"):
        if os.path.exists(f"{tree}/{lib}/modules/{release}/modules.builtin"):
            return _image(packed, release), f"{tree}/{lib}/modules/{release}"
    raise HostError(f"the package of the kernel {release} has no modules")


def packages(os_release: str, machine: str) -> tuple[str, str]:
    """What to download: names of PACKAGES, for `os_release` as in os-release(5)."""
    rows = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line)
    distribution = rows.get("ID", "").strip('"')
    if distribution not in PACKAGES or machine not in ARCHITECTURES:
        raise HostError(
            f"the harness knows no full kernel for {distribution or 'this system'} on {machine}",
            hint="use Debian or Ubuntu on x86_64 or aarch64",
        )
    metapackage, modules = PACKAGES[distribution]
    return metapackage.format(architecture=ARCHITECTURES[machine]), modules


def _image(packed: Path, release: str) -> str:
    """The kernel as QEMU starts it at once: an emulated machine would unpack it for seconds."""
    if os.uname().machine != "x86_64":
        return str(packed)
    final = f"{cache.make_directories(f'{cache.directory()}/harness')}/{release}"
    if not os.path.exists(final):
        with Progress(f"unpacking the kernel {release}"), cache.Writing("harness") as scratch:
            Path(scratch, "image").write_bytes(bzimage.vmlinux(packed.read_bytes()))
            os.rename(f"{scratch}/image", final)
    return final
