"""Labels: what a security module of the kernel holds against the program (apparmor, selinux).

They are asked for before, and put on by execve itself. The file to write to is the host's: one
that the container shows as its /proc can be any file (CVE-2019-16884, CVE-2019-19921).
"""

from __future__ import annotations

import os

from minirt.errors import HostError
from minirt.linux.calls import failed
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context

APPARMOR, SELINUX = "/sys/module/apparmor/parameters/enabled", "/sys/fs/selinux/enforce"


class Labels(Mechanism):
    """An AppArmor profile, an SELinux label; HostError where the kernel lacks the module."""

    name = "labels"

    def __init__(self, apparmor: str, selinux: str) -> None:
        self.apparmor = apparmor
        self.selinux = selinux
        self._proc = -1
        self._files: list[tuple[int, str]] = []

    def prepare(self, ctx: Context) -> None:
        if self.apparmor and not enabled(APPARMOR):
            require("AppArmor", "apparmorProfile", self.apparmor)
        if self.selinux and not os.path.exists(SELINUX):
            require("SELinux", "selinuxLabel", self.selinux)
        self._proc = os.open("/proc", os.O_PATH | os.O_CLOEXEC)

    def attach(self, ctx: Context) -> None:
        self._close()

    def enter(self, ctx: Context) -> None:
        wanted = ("self/attr/apparmor/exec", f"exec {self.apparmor}" if self.apparmor else "")
        for path, text in (wanted, ("self/attr/exec", self.selinux)):
            if text:
                fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC, dir_fd=self._proc)
                self._files.append((fd, text))
        self._close()

    def start(self, ctx: Context) -> None:
        for fd, text in self._files:
            try:
                os.write(fd, text.encode())
            except OSError as error:
                what = "the security module refuses the label"
                raise failed(what, f'write("/proc/self/attr/exec", "{text}")', error) from None
            os.close(fd)

    def teardown(self, ctx: Context) -> None:
        self._close()

    def _close(self) -> None:
        if self._proc >= 0:
            os.close(self._proc)
        self._proc = -1

    def describe(self) -> str:
        return f"labels: {', '.join(filter(None, (self.apparmor, self.selinux)))}"


def enabled(path: str) -> bool:
    try:
        with open(path, encoding="ascii") as file:
            return file.read().strip() == "Y"
    except OSError:
        return False


def require(module: str, member: str, label: str) -> None:
    raise HostError(
        f'/process/{member} asks for "{label}", and {module} is not enabled in this kernel',
        hint=f"leave it out, or boot a kernel with {module}",
    )
