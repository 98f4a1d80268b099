"""The guest's kernel: the distribution's own package, unpacked into the cache, never installed.

An installed cloud kernel could become the one that this machine boots next.
"""

from __future__ import annotations

import os

from minirt.errors import HostError
from minirt.host import cache, debs
from minirt.host.progress import Progress
from minirt.vm import bzimage

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}  # Debian's names
PACKED = "vmlinuz-"
METAPACKAGES = {
    "debian": "linux-image-cloud-{architecture}",
    "ubuntu": "linux-image-virtual",
}


class Kernel:
    """A kernel that QEMU can boot: `image` (a file), `modules` (its /lib/modules/RELEASE)."""

    __slots__ = ("image", "modules", "release")

    def __init__(self, release: str, image: str, modules: str) -> None:
        self.release = release
        self.image = image
        self.modules = modules


def find() -> Kernel:
    """The kernel of the cache, downloaded at the first call.

    HostError when this distribution or architecture has none, or it cannot be downloaded.
    """
    directory = cache.make_directories(f"{cache.directory()}/kernels")
    release = _newest(directory) or _install(directory)
    return Kernel(release, f"{directory}/{release}/image", f"{directory}/{release}/modules")


def _newest(directory: str) -> str:
    entries = sorted(os.scandir(directory), key=lambda entry: entry.stat().st_mtime_ns)
    return entries[-1].name if entries else ""


def metapackage(os_release: str, machine: str) -> str:
    """The package that depends on the newest kernel for VMs; `os_release` is os-release(5)."""
    rows = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line)
    names = [rows.get("ID", "").strip('"'), *rows.get("ID_LIKE", "").strip('"').split()]
    name = next((METAPACKAGES[name] for name in names if name in METAPACKAGES), "")
    if not name or machine not in ARCHITECTURES:
        raise HostError(
            f"minirt knows no guest kernel for {names[0] or 'this system'} on {machine}",
            hint="use Debian or Ubuntu on x86_64 or aarch64",
        )
    return name.format(architecture=ARCHITECTURES[machine])


def _install(directory: str) -> str:
    """Bring a kernel into the cache: DIRECTORY/RELEASE with a bootable image and its modules."""
    with open("/etc/os-release", encoding="utf-8") as os_release:
        package = debs.dependency(metapackage(os_release.read(), os.uname().machine))
    tree = debs.fetch(package)
    packed = next(entry for entry in os.scandir(f"{tree}/boot") if entry.name.startswith(PACKED))
    release = packed.name.removeprefix(PACKED)
    modules = _modules(tree, release)
    with Progress(f"unpacking the kernel {release}"), cache.Writing("kernels") as scratch:
        os.mkdir(f"{scratch}/kernel")
        os.symlink(modules, f"{scratch}/kernel/modules")
        _write_image(packed.path, f"{scratch}/kernel/image")
        if not os.path.isdir(f"{directory}/{release}"):
            os.rename(f"{scratch}/kernel", f"{directory}/{release}")
    return release


def _modules(tree: str, release: str) -> str:
    """/lib/modules/RELEASE of the unpacked package; Ubuntu has them in a package of their own."""
    for part in (tree, None):
        root = part or debs.fetch(f"linux-modules-{release}")
        for prefix in ("lib", "usr/lib"):
            path = f"{root}/{prefix}/modules/{release}"
            if os.path.exists(f"{path}/modules.builtin"):
                return path
    raise HostError(f"the package of the kernel {release} has no modules")


def _write_image(packed: str, target: str) -> None:
    with open(packed, "rb") as file:
        image = file.read()
    with open(target, "wb") as file:
        file.write(bzimage.vmlinux(image) if os.uname().machine == "x86_64" else image)
