"""Which Python the launcher starts from: of those on this machine, the one that is ready first.

The environment that minirt was installed in can have one that starts much slower than the
system's, and an engine starts it several times for each container.
"""

from __future__ import annotations

import os
import sys
from time import monotonic_ns

from minirt.errors import ConfigError, HostError, MinirtError
from minirt.linux import command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

SYSTEM = "/usr/bin/python3"
PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROUNDS = 15
BEGIN = f"import sys; sys.path.insert(0, {PACKAGE!r}); "
# The modules of a start are packed for the version of Python that packs them.
PACK = f"{BEGIN}from minirt.host.pack import main; main()"
LOAD = f"{BEGIN}import minirt.oci.verbs.create"
TELL = f"{BEGIN}import minirt.engine.create; assert sys.version_info >= (3, 11); "
TELL += "print(sys.base_prefix)"


class Interpreter:
    """A Python that can run minirt: its file, the prefix of its library, how soon it is ready."""

    __slots__ = ("path", "prefix", "ready_ms")

    def __init__(self, path: str) -> None:
        self.path = path
        self.prefix = _python(path, TELL).strip()
        if not os.path.isdir(self.prefix):
            raise HostError(f"{path} is no Python")
        _python(path, PACK, "-Xno_debug_ranges")
        self.ready_ms = min(_time(path) for _ in range(ROUNDS)) / 1e6


def quickest(asked_for: str = "") -> list[Interpreter]:
    """Those that can run minirt, the quickest first; only `asked_for`, if it is given.

    ConfigError when that one cannot.
    """
    if asked_for:
        return [_required(os.path.realpath(asked_for))]
    own = os.path.realpath(sys.executable)
    found = _usable({own: None, os.path.realpath(SYSTEM): None})
    return sorted(found, key=lambda interpreter: interpreter.ready_ms)


def _required(path: str) -> Interpreter:
    try:
        return Interpreter(path)
    except MinirtError as error:
        what = f"{path} cannot run minirt: {error.what}"
        raise ConfigError(what, pointer="--python", hint="name a Python 3.11 or later") from None


def _usable(paths: Iterable[str]) -> list[Interpreter]:
    found = []
    for path in paths:
        try:
            found.append(Interpreter(path))
        except MinirtError:
            pass  # none there, an older one, or one without its C modules
    return found


def _python(path: str, code: str, *options: str) -> str:
    return command.run([path, "-IS", *options, "-c", code])


def _time(path: str) -> int:
    began = monotonic_ns()
    _python(path, LOAD)
    return monotonic_ns() - began
