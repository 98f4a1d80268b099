"""Everything that can go wrong, as one tree of exceptions, and how each is shown.

MinirtError            what was wanted, and a remedy               exit 125
├─ ConfigError         a wrong value, with its JSON pointer or option
├─ StateError          the container is not in the state that the command needs
├─ HostError           the host lacks something (a right, a file system, a program)
├─ KernelError         a system call failed: call, errno, the kernel's own words
├─ CommandError        the program cannot be run                    exit 126 or 127
└─ InitDied            the container's init ended before it reported
"""

from __future__ import annotations

import errno as errnos
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Field = str | int | None

CANNOT_RUN = 126  # a shell's exit status for a program that is there


class MinirtError(Exception):
    """What was wanted and could not be had; `hint` is what to try."""

    exit_code = 125
    short = "failed"  # the kind of error to a person who sees many at once: never user data
    fields: tuple[str, ...] = ("what", "hint", "mechanism", "phase", "container")

    def __init__(self, what: str, *, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.mechanism = ""
        self.phase = ""
        self.container = ""

    def call_line(self) -> str:
        """The failed system call as strace would print it; "" when none was involved."""
        return ""

    def kernel_line(self) -> str:
        """What the kernel itself said about it; usually ""."""
        return ""

    def error_type(self) -> str:
        """A low-cardinality name for a span's `error.type`: never user data."""
        return type(self).__name__

    def summary(self) -> str:
        """What a span's status says, and a picture shows."""
        return self.short

    def to_fields(self) -> dict[str, Field]:
        """The error as plain fields, to cross from the container's init to the host."""
        return {"class": type(self).__name__, **{name: getattr(self, name) for name in self.fields}}


class ConfigError(MinirtError):
    """A wrong value in the configuration; `pointer` names it (RFC 6901, or an option)."""

    short = "wrong value"
    fields = (*MinirtError.fields, "pointer")

    def __init__(self, what: str, *, pointer: str = "", hint: str = "") -> None:
        super().__init__(f"{pointer}: {what}" if pointer else what, hint=hint)
        self.pointer = pointer


class StateError(MinirtError):
    """The container does not exist, exists already, or has another status than is needed."""

    short = "wrong state"


class HostError(MinirtError):
    """This machine lacks something that a mechanism needs."""

    short = "lacking on the host"


class KernelError(MinirtError):
    """A system call failed. `call` is written with flag names, as in the manual page."""

    fields = (*MinirtError.fields, "call", "errno", "kernel")

    def __init__(
        self, what: str, *, call: str, errno: int, kernel: str = "", hint: str = ""
    ) -> None:
        super().__init__(what, hint=hint)
        self.call = call
        self.errno = errno
        self.kernel = kernel

    def errno_name(self) -> str:
        return errnos.errorcode.get(self.errno, str(self.errno))

    def call_line(self) -> str:
        return f"{self.call} = {self.errno_name()} ({os.strerror(self.errno)})"

    def kernel_line(self) -> str:
        return self.kernel

    def error_type(self) -> str:
        return self.errno_name()

    def summary(self) -> str:
        return f"{self.call.partition('(')[0]}: {self.errno_name()}"


class CommandError(MinirtError):
    """The program to run is not there (127) or cannot be executed (126)."""

    fields = (*MinirtError.fields, "exit_code")

    def __init__(self, what: str, *, exit_code: int = 127, hint: str = "") -> None:
        super().__init__(what, hint=hint)
        self.exit_code = exit_code

    def summary(self) -> str:
        return "cannot be run" if self.exit_code == CANNOT_RUN else "not found"


class InitDied(MinirtError):  # noqa: N818  (a fact about init, not an "error" by name)
    """The container's init ended before it could report anything."""

    short = "init died"


def render(error: MinirtError, *, bold: bool = False) -> str:
    """The error as at most five lines for a person at a terminal."""
    where = f"{error.mechanism}.{error.phase}" if error.mechanism else ""
    if error.container:
        where = f"{where}, container {error.container}" if where else f"container {error.container}"
    rows = (
        ("during", where),
        ("call", error.call_line()),
        ("kernel", error.kernel_line()),
        ("try", error.hint),
    )
    start, end = ("\033[1;31m", "\033[0m") if bold else ("", "")
    lines = [f"{start}minirt:{end} {error.what}"]
    lines += [f"  {label:<7} {text}" for label, text in rows if text]
    return "\n".join(lines)


def from_fields(fields: Mapping[str, object]) -> MinirtError:
    """The opposite of `MinirtError.to_fields`."""
    classes: list[type[MinirtError]] = [MinirtError, *MinirtError.__subclasses__()]
    cls = next((c for c in classes if c.__name__ == fields.get("class")), MinirtError)
    error = cls.__new__(cls)
    Exception.__init__(error, fields.get("what", ""))
    for name in cls.fields:
        setattr(error, name, fields.get(name, ""))
    return error


def plain(error: BaseException) -> str:
    """Any error in the words for a person: Python's own begin with "[Errno 2]"."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror


def missing(path: str, *, what: str, pointer: str = "") -> ConfigError:
    """The error for a path of the user's that does not exist."""
    return ConfigError(f"{what} {path} does not exist", pointer=pointer, hint="check the path")
