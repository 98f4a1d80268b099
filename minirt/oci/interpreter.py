"""Which Python the launcher starts from: the system's, or one that is clearly sooner ready.

The environment that minirt was installed in can have one that starts much slower than the
system's, and an engine starts it several times for each container.
"""

from __future__ import annotations

import os
import stat
import sys
from time import monotonic_ns

from minirt.errors import ConfigError, HostError, MinirtError
from minirt.linux import command

SYSTEM = "/usr/bin/python3"
PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROUNDS = 15
CLEARLY = 0.85  # another's time must be less than this part of the system's
LONGEST = 100  # characters of what a program said that is none
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


def chosen(asked_for: str = "") -> list[Interpreter]:
    """Those that can run minirt, the one to take first; only `asked_for`, if it is given.

    The system's, if another is not clearly quicker: of two that are alike the choice shall be the
    same each time. HostError when there is none, ConfigError when what was asked for is none.
    """
    if asked_for:
        return [_required(os.path.realpath(asked_for))]
    system, own = os.path.realpath(SYSTEM), os.path.realpath(sys.executable)
    found, refused = [], []
    for path in dict.fromkeys((system, own)):
        try:
            found.append(Interpreter(path))
        except MinirtError as error:  # none there, an older one, or one without its C modules
            refused.append(f"{path}: {error.what[:LONGEST]}")
    if not found:
        hint = "name a Python 3.11 or later: --python FILE"
        raise HostError(f"no Python here can run minirt: {'; '.join(refused)}", hint=hint)
    return sorted(found, key=_rank)


def _rank(interpreter: Interpreter) -> tuple[bool, float]:
    """Before all others those that every user can execute; then by the time that they take."""
    system = interpreter.path == os.path.realpath(SYSTEM)
    return not is_for_all(interpreter.path), interpreter.ready_ms * (CLEARLY if system else 1)


def is_for_all(path: str) -> bool:
    """Whether an ordinary user may reach and execute it: not below root's home, for one."""
    while path != "/":
        if not os.stat(path).st_mode & stat.S_IXOTH:
            return False
        path = os.path.dirname(path)
    return True


def _required(path: str) -> Interpreter:
    try:
        return Interpreter(path)
    except MinirtError as error:
        what = f"{path} cannot run minirt: {error.what[:LONGEST]}"
        raise ConfigError(what, pointer="--python", hint="name a Python 3.11 or later") from None


def _python(path: str, code: str, *options: str) -> str:
    return command.run([path, "-IS", *options, "-c", code])


def _time(path: str) -> int:
    began = monotonic_ns()
    _python(path, LOAD)
    return monotonic_ns() - began
