"""Run one program of the host and wait for it; the few that minirt calls: nft, hooks, qemu."""

from __future__ import annotations

import os
import select

from minirt.errors import HostError, MinirtError
from minirt.linux.ending import exit_code
from minirt.linux.files import memfd_create
from minirt.linux.process import SIGKILL, SIGPIPE, SIGXFSZ, pidfd_open, pidfd_send_signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

NO_PROGRAM = 127  # as a shell says it
LONGEST_POLL = (1 << 31) - 1  # ms: 24 days
PYTHONS = (SIGPIPE, SIGXFSZ)  # what Python ignores
# An engine may call minirt with no PATH at all.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def run(
    argv: Sequence[str],
    stdin: str = "",
    env: Sequence[str] = (),
    program: str = "",
    timeout: int = 0,
    first: Callable[[], None] | None = None,
) -> str:
    """Run `program` (default: argv[0], looked up) as `argv`; return what it printed.

    `stdin` is its input, `env` its environment as "K=V" (default: a PATH), `timeout` in seconds
    when it is killed (0: never), `first` what its process does before. HostError when the program
    is missing, is killed, or ends with another status than 0: then with what it said on stderr.
    """
    path = program or find(argv[0])
    environment = dict(pair.partition("=")[::2] for pair in env) if env else {"PATH": PATH}
    streams = [memfd_create("stdin"), memfd_create("stdout"), memfd_create("stderr")]
    try:
        _fill(streams[0], stdin.encode())
        if first is None:
            child = _spawn(path, argv, environment, streams)
        else:
            child = _fork(path, argv, environment, streams, first)
        _await(child, path, timeout)
        status = exit_code(os.waitpid(child, 0)[1])
        output, errors = (_content(fd) for fd in streams[1:])
    except OSError as error:
        raise HostError(f"cannot run {path}: {error.strerror}") from None
    finally:
        for fd in streams:
            os.close(fd)
    if status:
        said = errors.strip().splitlines() or [f"it ended with status {status}"]
        raise HostError(f"{path} failed: {said[0]}")
    return output


def _spawn(path: str, argv: Sequence[str], env: Mapping[str, str], streams: Sequence[int]) -> int:
    actions = [(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate(streams)]
    # Signals that wait here, or are ignored, are none of the program's business.
    return os.posix_spawn(
        path, list(argv), env, file_actions=actions, setsigmask=(), setsigdef=PYTHONS
    )


def _fork(
    path: str,
    argv: Sequence[str],
    env: Mapping[str, str],
    streams: Sequence[int],
    first: Callable[[], None],
) -> int:
    """Like `_spawn`, for init, which has one thread and default signals (engine/init.py)."""
    child = os.fork()
    if child == 0:
        try:
            for number, fd in enumerate(streams):
                os.dup2(fd, number)
            first()
            os.execve(path, list(argv), env)
        except (OSError, MinirtError) as error:
            os.write(2, str(error).encode())
        finally:
            os._exit(NO_PROGRAM)
    return child


def _await(child: int, path: str, timeout: int) -> None:
    """Wait until it has ended; kill it, and raise, when that takes longer."""
    if not timeout:
        return
    pidfd = pidfd_open(child)
    try:
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        if not poll.poll(min(timeout * 1000, LONGEST_POLL)):
            pidfd_send_signal(pidfd, SIGKILL)
            os.waitpid(child, 0)
            raise HostError(f"{path} was killed: it took longer than its {timeout} s")
    finally:
        os.close(pidfd)


def find(name: str) -> str:
    """The absolute path of a host program; HostError when it is not installed."""
    if "/" in name:
        return name
    for directory in PATH.split(":"):
        path = f"{directory}/{name}"
        if os.access(path, os.X_OK):
            return path
    raise HostError(f"{name} is not installed", hint=f"install the package that has {name}")


def quoted(word: str) -> str:
    """A word as sh reads it; nothing of it is expanded."""
    plain = word.translate({ord(character): None for character in "/-._:=,@%+"})
    return word if plain.isalnum() else "'" + word.replace("'", "'\\''") + "'"


def quoted_path(path: str) -> str:
    """Like `quoted`, except that a `$dir` at the start is the variable of a script by hand."""
    below = path.removeprefix("$dir/")
    return quoted(path) if below == path else f'"$dir"/{quoted(below)}'


def _fill(fd: int, data: bytes) -> None:
    os.write(fd, data)
    os.lseek(fd, 0, os.SEEK_SET)


def _content(fd: int) -> str:
    return os.pread(fd, os.fstat(fd).st_size, 0).decode(errors="replace")
