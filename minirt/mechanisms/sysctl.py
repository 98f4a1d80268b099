"""Sysctl: kernel settings that a namespace has of its own (proc_sys(5)).

/proc/sys shows whoever looks the settings of their own namespaces. So it is the host's that is
written to, by a descriptor opened before there was a container: no image can have put another
file in its place.
"""

from __future__ import annotations

import os

from minirt.linux.calls import failed
from minirt.linux.files import RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS, openat2, write_all
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from minirt.context import Context


class Sysctl(Mechanism):
    """Write `settings`, {path below /proc/sys: value}."""

    name = "sysctl"

    def __init__(self, settings: Mapping[str, str]) -> None:
        self.settings = settings
        self._directory = -1

    def prepare(self, ctx: Context) -> None:
        self._directory = os.open("/proc/sys", os.O_PATH | os.O_CLOEXEC)

    def attach(self, ctx: Context) -> None:
        self._close()

    def enter(self, ctx: Context) -> None:
        for path, value in self.settings.items():
            write(self._directory, path, value)
        self._close()

    def teardown(self, ctx: Context) -> None:
        self._close()

    def _close(self) -> None:
        if self._directory >= 0:
            os.close(self._directory)
        self._directory = -1

    def describe(self) -> str:
        shown = (f"{path.replace('/', '.')}={value}" for path, value in self.settings.items())
        return f"sysctl: {', '.join(shown)}"


def write(directory: int, path: str, value: str) -> None:
    """One setting, by one write(2); KernelError says what the kernel thinks of it."""
    resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS
    file = openat2(directory, path, os.O_WRONLY, resolve=resolve)
    try:
        write_all(file, value.encode())
    except OSError as error:
        call = f'write("/proc/sys/{path}", "{value}")'
        raise failed(f"cannot set {path.replace('/', '.')}", call, error) from None
    finally:
        os.close(file)
