"""The system packages that minirt uses, and installing those that are missing.

`python -m minirt.host.packages PURPOSE…` makes sure that what the purposes need is there.
"""

from __future__ import annotations

import glob
import os
import shlex
import subprocess
import sys

from minirt.errors import HostError, MinirtError, render
from minirt.host import apt, cache, elevate
from minirt.host.progress import Progress, say
from minirt.linux.command import PATH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FLAGS = ("-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=600")
LIBRARIES = ("/lib/*", "/lib", "/lib64", "/usr/lib/*", "/usr/lib", "/usr/lib64")


class Need:
    """A package, the program or library that it must provide, and what for."""

    __slots__ = ("package", "provides", "purpose", "why")

    def __init__(self, purpose: str, package: str, provides: str, why: str) -> None:
        self.purpose = purpose
        self.package = package
        self.provides = provides
        self.why = why

    def is_met(self) -> bool:
        if ".so." in self.provides or self.provides.endswith(".a"):
            return any(glob.glob(f"{where}/{self.provides}") for where in LIBRARIES)
        # An absolute path stays what it is.
        paths = (os.path.join(where, self.provides) for where in PATH.split(":"))
        return any(os.access(path, os.X_OK) for path in paths)


QEMU = {
    "x86_64": ("qemu-system-x86", "qemu-system-x86_64"),
    "aarch64": ("qemu-system-arm", "qemu-system-aarch64"),
}
NEEDS = (
    Need("run", "procps", "ps", "step 2 shows what ps lists"),
    Need("run", "iproute2", "ip", "steps by hand"),
    Need("run", "nftables", "nft", "address translation in step 4"),
    Need("run", "libseccomp2", "libseccomp.so.2", "the system call filter of step 6"),
    Need("run", "e2fsprogs", "mke2fs", "the virtual machine's disk in step 7"),
    Need("run", "lz4", "lz4", "unpacking the guest's kernel in step 7"),
    Need("run", "zstd", "zstd", "unpacking the guest's kernel in step 7"),
    *(
        Need("run", package, program, "the virtual machine of step 7")
        for machine, (package, program) in QEMU.items()
        if machine == os.uname().machine
    ),
    Need("test", "util-linux", "nsenter", "looking into containers"),
    Need("bench", "gcc", "gcc", "the program that the benchmarks run"),
    Need("bench", "libc6-dev", "libc.a", "the same program, which is static"),
    Need("test", "iputils-ping", "ping", "reaching a virtual machine"),
    Need("test", "erofs-utils", "mkfs.erofs", "a virtual machine's compressed disk"),
    Need("test", "squashfs-tools", "mksquashfs", "a virtual machine's compressed disk"),
    Need("box", "vagrant", "vagrant", "checking vm/Vagrantfile"),
    Need("test", "runc", "runc", "the runtime that minirt-oci is compared with"),
    Need("test", "crun", "crun", "a runtime that make bench-oci compares with"),
    Need("test", "criu", "criu", "checkpoint and restore"),
    Need("test", "uidmap", "newuidmap", "ids that are delegated to an ordinary user"),
    Need("engines", "podman", "podman", "an engine to be driven by"),
    Need("engines", "catatonit", "catatonit", "the pause container of podman's pods"),
    Need("engines", "buildah", "buildah", "an engine to be driven by"),
    Need("engines", "docker.io", "dockerd", "an engine to be driven by"),
    Need("engines", "containerd", "containerd", "an engine to be driven by"),
    Need("engines", "skopeo", "skopeo", "giving the engines our image"),
    Need("engines", "containernetworking-plugins", "/usr/lib/cni/bridge", "networks of pods"),
    Need("engines", "iptables", "iptables", "networks of engines"),
    Need("engines", "criu", "criu", "checkpoints by podman"),
    Need("bare", "mmdebstrap", "mmdebstrap", "a bare Debian to test on"),
)


def missing(purposes: Iterable[str]) -> list[Need]:
    """What is not there yet. Benchmarks need all that running needs, and tests both."""
    wanted = set(purposes)
    if "test" in wanted:
        wanted.add("bench")
    if "bench" in wanted:
        wanted.add("run")
    return [need for need in NEEDS if need.purpose in wanted and not need.is_met()]


def command(needs: Iterable[Need]) -> list[str]:
    """The command that installs them, as a person would type it."""
    return ["apt-get", "install", *FLAGS[:2], *sorted({need.package for need in needs})]


def install(needs: Sequence[Need]) -> None:
    """Install what is missing, and nothing else; says it first.

    HostError with the command to type where this user may not, or the machine has no apt.
    """
    for need in needs:
        say(f"missing: {need.package} ({need.why})")
    this = [sys.executable, "-IB", "-m", "minirt.host.packages", "--as-root"]
    packages = [need.package for need in needs]
    typed = command(needs)
    root = elevate.prefix()
    if root is None:
        raise HostError("installing packages needs root", hint=f"type: sudo {shlex.join(typed)}")
    say(shlex.join([*root, *typed]))
    if os.geteuid() == 0:
        _install_as_root(packages)
    elif subprocess.run([*root, *this, *packages], check=False).returncode:
        raise HostError("installing packages failed", hint=f"type: sudo {shlex.join(typed)}")
    _note(packages)


def installed_by_us() -> list[str]:
    """The packages that `install` added on this machine."""
    try:
        with open(_record(), encoding="utf-8") as file:
            return sorted(set(file.read().split()))
    except FileNotFoundError:
        return []


def _note(packages: Sequence[str]) -> None:
    with open(_record(), "a", encoding="utf-8") as file:
        file.write("\n".join([*packages, ""]))


def _record() -> str:
    return f"{cache.directory()}/installed-packages"


def _install_as_root(packages: Sequence[str]) -> None:
    what = "cannot install " + ", ".join(packages)
    with Progress("installing packages"):
        if not apt.has_lists():
            apt.update()
        try:
            apt.run(["apt-get", "install", *FLAGS, *packages], what=what)
        except HostError:
            # Lists from last month name versions that the archive no longer has.
            apt.update()
            apt.run(["apt-get", "install", *FLAGS, *packages], what=what)


def _purposes(arguments: Sequence[str]) -> list[str]:
    import argparse

    parser = argparse.ArgumentParser(
        prog="python -m minirt.host.packages",
        description="Install the system packages that a purpose needs and that are missing.",
    )
    known = sorted({need.purpose for need in NEEDS})
    parser.add_argument("purposes", nargs="+", choices=known, metavar="PURPOSE", help=str(known))
    return list(parser.parse_args(arguments).purposes)


def main(arguments: Sequence[str]) -> int:
    try:
        if arguments[:1] == ["--as-root"]:
            _install_as_root(arguments[1:])
        elif needs := missing(_purposes(arguments)):
            install(needs)
    except MinirtError as error:
        print(render(error, bold=sys.stderr.isatty()), file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
