"""Find the program to execute, and say why it cannot be executed (execve(2))."""

from __future__ import annotations

import errno
import os

from minirt.errors import CommandError, KernelError
from minirt.linux.calls import MACHINE
from minirt.linux.executable import interpreter, machine
from minirt.linux.files import RESOLVE_NO_MAGICLINKS, openat2
from minirt.linux.mount import AT_FDCWD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MOST_INTERPRETERS = 6  # the kernel follows five, and then the loader


def look_up(name: str, path: str) -> str:
    """The file that execvp would run; CommandError 127 or 126 as a shell would exit."""
    if "/" in name:
        # execve would say the same, but in `start`: what then ends must be noticed and cleaned up.
        try:
            os.stat(name)
        except OSError as error:
            raise explain(name, error) from None
        if os.path.isdir(name) or not _may_execute(name):
            raise explain(name, PermissionError(errno.EACCES, "Permission denied"))
        return name
    refused = False
    for directory in (path or DEFAULT_PATH).split(":"):
        candidate = f"{directory or '.'}/{name}"
        if _may_execute(candidate) and not os.path.isdir(candidate):
            return candidate
        refused = refused or os.path.isfile(candidate)
    if refused:
        raise CommandError(f"{name}: permission denied", exit_code=126, hint="chmod +x the file")
    raise CommandError(
        f'exec: "{name}": executable file not found in $PATH',
        hint=f"PATH inside is {path or DEFAULT_PATH}",
    )


def _may_execute(path: str) -> bool:
    """By our capabilities too (CAP_DAC_OVERRIDE), which plain access(2) leaves out of account."""
    return os.access(path, os.X_OK, effective_ids=True)


def refuse_magic_links(program: str) -> None:
    """CommandError 126 when executing `program` would go through a link of procfs's.

    Until execve, /proc/self/exe is the interpreter that runs minirt, a file of the host: an
    image whose program, "#!" line or ELF interpreter is that link would run it with a loader
    and libraries of its own, keep it open, and could write to it later (CVE-2019-5736). What
    another process inside changes between this look and execve is not seen; there is none yet
    when a container starts. minirt-oci therefore starts from a read-only copy.
    """
    path = program
    for _ in range(MOST_INTERPRETERS):
        try:
            # Relative to where it will be executed; a FIFO must not keep us waiting.
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY
            file = openat2(AT_FDCWD, path, flags, resolve=RESOLVE_NO_MAGICLINKS)
        except KernelError as error:
            if error.errno == errno.ELOOP:
                raise CommandError(
                    f"{program}: {path} leads through a link of /proc, or in a circle",
                    exit_code=126,
                    hint="do not trust this image: it may be after the program that runs minirt",
                ) from None
            return  # execve will say what is wrong with it; who may not read it may not write it
        try:
            path = interpreter(file)
        except OSError:  # not a file
            path = ""
        os.close(file)
        if not path:
            return


def explain(program: str, error: OSError) -> CommandError:
    """What execve's errno means for this very file."""
    if error.errno == errno.ENOENT:
        return CommandError(f"{program}: {_what_is_missing(program)}")
    if error.errno == errno.ENOEXEC:
        return CommandError(
            f"{program}: exec format error",
            exit_code=126,
            hint=f"{_of(program, _format)}; this machine is {MACHINE}",
        )
    said = (error.strerror or "").lower()
    hint = ""
    if error.errno == errno.EACCES and os.path.isdir(program):
        said = "is a directory"
    elif error.errno == errno.EACCES and not _may_execute(program):
        hint = "chmod +x the file"
    return CommandError(f"{program}: {said}", exit_code=126, hint=hint)


def _what_is_missing(program: str) -> str:
    wanted = _of(program, interpreter)
    if not wanted:
        return "no such file or directory"
    if wanted.endswith("\r"):
        return "its first line ends as on Windows (CRLF): save it with LF alone"
    return f"its interpreter {wanted} (#! or PT_INTERP) does not exist in the container"


def _format(file: int) -> str:
    made_for = machine(file)
    if made_for:
        return f"the program is for {made_for}"
    return "the file is neither ELF nor a script that starts with #!"


def _of(program: str, question: Callable[[int], str]) -> str:
    """What `question` says about a file; "" where it cannot be read."""
    try:
        file = os.open(program, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return question(file)
    finally:
        os.close(file)
