"""The guest's kernel: the distribution's own package, unpacked into the cache, never installed.

An installed cloud kernel could become the one that this machine boots next.
"""

from __future__ import annotations

import os
import re

from minirt.errors import HostError
from minirt.host import cache, debs
from minirt.host.progress import Progress
from minirt.vm import bzimage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}  # Debian's names
PACKED = "vmlinuz-"
IMAGE = "linux-image-"
VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:[-+]\D*(\d+))?")
FLAVOUR = re.compile(r"-(?:cloud-)?[a-z]\w*$")
METAPACKAGES = {
    "debian": "linux-image-cloud-{architecture}",
    "ubuntu": "linux-image-virtual",
}


class Kernel:
    """A kernel that QEMU can boot, at home in a directory of the cache.

    `image` is unpacked where that is possible, `packed` as the distribution has it, `modules`
    its /lib/modules/RELEASE.
    """

    __slots__ = ("image", "modules", "packed", "release")

    def __init__(self, directory: str, release: str) -> None:
        self.release = release
        self.image = f"{directory}/{release}/image"
        self.packed = f"{directory}/{release}/packed"
        self.modules = f"{directory}/{release}/modules"

    def complete(self) -> bool:
        return all(map(os.path.exists, (self.image, self.packed, self.modules)))


def find() -> Kernel:
    """The kernel of the cache, downloaded at the first call.

    HostError when this distribution or architecture has none, or it cannot be downloaded.
    """
    directory = cache.make_directories(f"{cache.directory()}/kernels")
    return _newest(directory) or _install(directory, _package())


def find_other(first: Kernel) -> Kernel:
    """A kernel of another release than `first`: the distribution's most different one for VMs.

    HostError when it has only one.
    """
    directory = cache.make_directories(f"{cache.directory()}/other-kernels")
    found = _newest(directory)
    if found and found.release != first.release:
        return found
    package = other_package(debs.names(IMAGE), first.release)
    if not package:
        raise HostError(
            f"the distribution has no second kernel for VMs, beside {first.release}",
            hint=f"look at: apt-cache search '^{IMAGE}'",
        )
    return _install(directory, package)


def other_package(packages: Iterable[str], release: str) -> str:
    """The image of the same flavour as `release` whose version is farthest from it; or ""."""
    flavour = FLAVOUR.search(release)
    tail = flavour[0] if flavour else ""
    found = {
        name: _version(name.removeprefix(IMAGE))
        for name in packages
        if name.startswith(IMAGE) and name.endswith(tail) and name != IMAGE + release
    }
    mine = _version(release)
    # Another series first, then the farthest in the same one: an update may have changed little.
    ranked = sorted(
        (abs(_weight(version) - _weight(mine)), name) for name, version in found.items() if version
    )
    return ranked[-1][1] if ranked else ""


def _version(release: str) -> tuple[int, ...]:
    """(6, 1, 0, 50) of 6.1.0-50-cloud-amd64; () when it does not begin so."""
    found = VERSION.match(release)
    return tuple(map(int, found.groups("0"))) if found else ()


def _weight(version: tuple[int, ...]) -> int:
    weight = 0
    for number in version:
        weight = weight * 10_000 + number
    return weight


def _newest(directory: str) -> Kernel | None:
    entries = sorted(os.scandir(directory), key=lambda entry: entry.stat().st_mtime_ns)
    found = [Kernel(directory, entry.name) for entry in entries]
    return found[-1] if found and found[-1].complete() else None


def _package() -> str:
    with open("/etc/os-release", encoding="utf-8") as os_release:
        return debs.dependency(metapackage(os_release.read(), os.uname().machine))


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


def _install(directory: str, package: str) -> Kernel:
    """Bring a kernel into the cache: DIRECTORY/RELEASE with a bootable image and its modules."""
    tree = debs.fetch(package)
    packed = next(entry for entry in os.scandir(f"{tree}/boot") if entry.name.startswith(PACKED))
    found = Kernel(directory, packed.name.removeprefix(PACKED))
    modules = _modules(tree, found.release)
    what = f"unpacking the kernel {found.release}"
    with Progress(what), cache.Writing(os.path.basename(directory)) as scratch:
        os.mkdir(f"{scratch}/kernel")
        os.symlink(modules, f"{scratch}/kernel/modules")
        os.symlink(packed.path, f"{scratch}/kernel/packed")
        _write_image(packed.path, f"{scratch}/kernel/image")
        if not found.complete():
            cache.remove_tree(f"{directory}/{found.release}")
            os.rename(f"{scratch}/kernel", f"{directory}/{found.release}")
    return found


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
