"""What of our own a program gets: descriptors, the terminal, the sockets of its service manager."""

from __future__ import annotations

import os
import sys

from minirt.errors import ConfigError
from minirt.oci.parser import Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.codec import Json
    from minirt.engine.container import Container
    from minirt.oci.parser import Words

OPTIONS = (
    Option("--console-socket", "PATH", "send the terminal's master end to this socket"),
    Option("--pidfd-socket", "PATH", "send a pidfd of the process to this socket"),
    Option("--preserve-fds", "N", "give N descriptors from 3 on to the program"),
)
# What runc names a terminal by, when it sends one.
MASTER = "/dev/ptmx"


def reopen() -> None:
    """Open /dev/null for each standard stream that our caller has closed.

    The next descriptors that we open would take their numbers, and be the program's streams.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            fd = os.open(os.devnull, os.O_RDWR)  # the lowest that is free: its own number
            os.set_inheritable(fd, True)  # noqa: FBT003  (its signature)
            setattr(sys, name, open(fd, mode))  # noqa: SIM115


def check(words: Words, process: Json, *, detached: bool) -> None:
    """ConfigError where a terminal has nobody to hold it, or a socket nothing to get."""
    terminal = isinstance(process, dict) and process.get("terminal") is True
    socket = words.text("--console-socket")
    if terminal and detached and not socket:
        raise ConfigError(
            "cannot allocate tty if runc will detach without setting console socket",
            hint='--console-socket PATH, or set "terminal": false in config.json',
        )
    if socket and not (terminal and detached):
        raise ConfigError(
            "cannot use console socket if runc will not detach or allocate tty",
            hint="leave --console-socket out",
        )
    if terminal and not detached and not _has_terminal():
        raise ConfigError(
            "cannot relay a terminal: standard input is no terminal",
            hint='set "terminal": false in config.json (exec: leave --tty out), or call it from '
            "a terminal, or with --detach and --console-socket PATH",
        )


def _has_terminal() -> bool:
    from minirt.engine.relay import own_terminal

    own = own_terminal()
    if own > 2:  # /dev/tty, opened for this look
        os.close(own)
    return own >= 0


def preserved(words: Words) -> int:
    """How many descriptors from 3 on the program gets: those of socket activation, then ours.

    ConfigError when one of them is not open: what we open later must not take its number.
    """
    given = words.number("--preserve-fds")
    count = activated() + given
    if given < 0:
        raise ConfigError("must not be negative", pointer="--preserve-fds")
    for number in range(3, 3 + count):
        try:
            os.set_inheritable(number, True)  # noqa: FBT003  (its signature)
        except OSError:
            what = f"descriptor {number} is not open"
            raise ConfigError(what, pointer="--preserve-fds", hint="pass fewer") from None
    return count


def activated() -> int:
    """The number of sockets that a service manager gave us (sd_listen_fds(3))."""
    count = os.environ.get("LISTEN_FDS", "")
    ours = os.environ.get("LISTEN_PID") == str(os.getpid())
    return int(count) if ours and count.isdecimal() else 0


def with_services(document: dict[str, Json], state_directory: str) -> dict[str, Json]:
    """The configuration with the variables and the mount that a service manager's sockets need."""
    if os.environ.get("NOTIFY_SOCKET"):
        from minirt.oci import notify

        document = notify.offered(document, state_directory)
    process = document.get("process")
    if not activated() or not isinstance(process, dict):
        return document
    # The program's own pid is 1 inside.
    env = [*_items(process.get("env")), f"LISTEN_FDS={activated()}", "LISTEN_PID=1"]
    return {**document, "process": {**process, "env": env}}


def _items(value: Json) -> list[Json]:
    return list(value) if isinstance(value, list) else []


def hand_over(words: Words, container: Container) -> None:
    """Send the terminal and the pidfd to whoever asked for them."""
    if not words.text("--console-socket") and not words.text("--pidfd-socket"):
        return
    from minirt.linux import sockets

    if words.text("--console-socket"):
        option = "--console-socket"
        sockets.send(words.text(option), container.terminal, MASTER, option)
        os.close(container.terminal)
        container.terminal = -1
    if words.text("--pidfd-socket"):
        option = "--pidfd-socket"
        sockets.send(words.text(option), container.ctx.pidfd, "pidfd", option)
