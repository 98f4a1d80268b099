"""The program's own input and output: open, whatever the caller closed, and flushed at the end."""

from __future__ import annotations

import os
import sys

from minirt.errors import render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from minirt.errors import MinirtError


def open_missing() -> None:
    """Open /dev/null for each of descriptors 0 to 2 that the caller has closed.

    Else the next file opened becomes one of them, and an error message is written into it.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
            os.set_inheritable(number, True)  # noqa: FBT003  (a caller's would be)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")


def complain(error: MinirtError) -> None:
    """Show an error, in colour on a terminal unless NO_COLOR is set."""
    from minirt.hints import hint_for

    error.hint = error.hint or hint_for(error)
    bold = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    print(render(error, bold=bold), file=sys.stderr)
    for note in getattr(error, "__notes__", ()):
        print(f"  also    {note}", file=sys.stderr)


def leave(status: int) -> NoReturn:
    """Exit at once: taking the interpreter apart would cost 2 ms."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        pass  # nobody reads it any more, or the disk is full
    os._exit(status)
