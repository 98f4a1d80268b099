"""Sysctl: kernel settings that a namespace has of its own (proc_sys(5)).

/proc/sys shows whoever looks the settings of their own namespaces. What is written to is ctx.proc,
which no image can have put another file into (CVE-2025-52881).
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

    def enter(self, ctx: Context) -> None:
        for path, value in self.settings.items():
            write(ctx.proc, path, value)

    def describe(self) -> str:
        shown = (f"{path.replace('/', '.')}={value}" for path, value in self.settings.items())
        return f"sysctl: {', '.join(shown)}"


def write(proc: int, path: str, value: str) -> None:
    """One setting, by one write(2); KernelError says what the kernel thinks of it."""
    resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS
    file = openat2(proc, f"sys/{path}", os.O_WRONLY, resolve=resolve)
    try:
        write_all(file, value.encode())
    except OSError as error:
        call = f'write("/proc/sys/{path}", "{value}")'
        raise failed(f"cannot set {path.replace('/', '.')}", call, error) from None
    finally:
        os.close(file)
