"""Install the launcher `minirt-oci`: what engines execute, with nothing to rely on.

They call it with an empty environment and from any directory, so it names its interpreter and
the package by absolute paths. The kernel passes one argument of a first line on (execve(2)): -IS,
for neither the user's nor the site's settings. Files, below the directory of all state, for each
interpreter that a launcher starts from:

    oci/KEY/bin/python   the interpreter, by a read-only mount (guard.py); underneath a script
    oci/KEY/lib          its standard library, for Pythons that look for it beside themselves
    oci/KEY/launchers    links to those launchers: with the last of them all this goes
"""

from __future__ import annotations

import os

from minirt import state_root
from minirt.errors import HostError
from minirt.linux.command import quoted
from minirt.linux.files import read_all, replace
from minirt.oci import guard
from minirt.oci.interpreter import PACKAGE
from minirt.state import fnv1a

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.oci.interpreter import Interpreter

SHEBANG_MAX = 127  # bytes of a first line that every kernel reads
LIBRARIES = ("lib", "lib64")
SCRIPT = """\
#!/bin/sh
# Where a read-only mount of the interpreter belongs; until it is made, the interpreter itself.
exec {interpreter} "$@"
"""
MARK = "minirt-oci, as `minirt oci install` wrote it"
MOST = 4096  # bytes of a launcher among which the mark is
LAUNCHER = '''\
{first}
"""{mark}."""
import sys

sys.path.insert(0, {package!r})
sys.path += {others!r}
from minirt.oci.guard import protect

protect({place!r}, {interpreter!r})
from minirt.oci.program import main

main()
'''


def base() -> str:
    """The directory of all interpreters."""
    return f"{os.path.dirname(state_root.default())}/oci"


def home(interpreter: str) -> str:
    """Where the files for launchers of this interpreter lie."""
    return f"{base()}/{fnv1a(interpreter):08x}"


def place(interpreter: str) -> str:
    """Where the interpreter is mounted, read-only."""
    return f"{home(interpreter)}/bin/python"


def places() -> list[str]:
    """Where any is, or could be."""
    try:
        return [f"{base()}/{key}/bin/python" for key in sorted(os.listdir(base()))]
    except FileNotFoundError:
        return []


def install(target: str, interpreter: Interpreter) -> None:
    """Write the launcher to `target`, and what it starts from; HostError when that is not ours.

    Nor when there is something else than a launcher.
    """
    uninstall(target)
    here, where = home(interpreter.path), place(interpreter.path)
    guard.release(where)
    try:
        for directory in ("bin", "launchers"):
            state_root.make(f"{here}/{directory}")
        _link(target, f"{here}/launchers/{fnv1a(target):08x}")
        _write(where, SCRIPT.format(interpreter=quoted(interpreter.path)))
        for name in LIBRARIES:
            if os.path.isdir(f"{interpreter.prefix}/{name}"):
                _link(f"{interpreter.prefix}/{name}", f"{here}/{name}")
        _write(target, launcher(where, interpreter.path))
    except OSError as error:
        what = f"cannot install {target}: {error.strerror}"
        raise HostError(what, hint="be root, or choose another place: --to FILE") from None


def launcher(where: str, interpreter: str) -> str:
    """The text of the launcher."""
    return LAUNCHER.format(
        first=first_lines(where),
        mark=MARK,
        package=PACKAGE,
        others=_others(),
        place=where,
        interpreter=interpreter,
    )


def _others() -> list[str]:
    """Where pyroute2 lies, which netDevices needs; -S keeps the site's directories out."""
    from importlib.util import find_spec

    found = find_spec("pyroute2")
    return [os.path.dirname(os.path.dirname(found.origin))] if found and found.origin else []


def first_lines(where: str) -> str:
    """What makes the kernel run `where`; for a long path by way of sh, as one text for both."""
    line = f"#!{where} -IS"
    if len(line.encode()) <= SHEBANG_MAX and " " not in where:
        return line
    # To sh '' is nothing, and exec leaves it; to Python it is a string in three quotes.
    return f"#!/bin/sh\n''''exec {quoted(where)} -IS \"$0\" \"$@\" # '''"


def uninstall(target: str) -> bool:
    """Take it away, and what no other launcher starts from; whether there was anything."""
    _require_launcher(target)
    found = _unlink(target)
    for where in places():
        here = os.path.dirname(os.path.dirname(where))
        found = _unlink(f"{here}/launchers/{fnv1a(target):08x}") or found
        if not _others_use(here):
            guard.release(where)
            for path in (where, *(f"{here}/{name}" for name in LIBRARIES)):
                _unlink(path)
            _remove_empty(f"{here}/launchers", f"{here}/bin", here, base())
    return found


def _require_launcher(target: str) -> None:
    """HostError when `target` is there, and nothing that `install` wrote."""
    if not os.path.lexists(target):
        return
    try:
        ours = MARK.encode() in read_all(target)[:MOST]
    except OSError:
        ours = False
    if not ours:
        hint = "name another place: --to FILE"
        raise HostError(f"{target} is there already, and no launcher of minirt", hint=hint)


def _others_use(here: str) -> bool:
    """Whether launchers start from there; links to those that are gone do not count."""
    try:
        links = [f"{here}/launchers/{name}" for name in os.listdir(f"{here}/launchers")]
    except FileNotFoundError:
        return False
    for link in links:
        if not os.path.exists(link):
            _unlink(link)
    return any(os.path.lexists(link) for link in links)


def _remove_empty(*directories: str) -> None:
    for directory in directories:
        try:
            os.rmdir(directory)
        except OSError:
            pass


def _unlink(path: str) -> bool:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise HostError(f"cannot remove {path}: {error.strerror}", hint="be root") from None
    return True


def _write(path: str, text: str) -> None:
    replace(path, text.encode(), mode=0o755)
    os.chmod(path, 0o755)  # noqa: S103  (everyone may run it; whatever the umask)


def _link(target: str, path: str) -> None:
    _unlink(path)
    os.symlink(target, path)
