"""sd_notify(3): a container tells the service manager that started us when it is ready.

The manager knows senders by their cgroup, and the container's is not its unit's; nor does the
program know its pid outside. So it gets a socket of ours, in a directory that is bind-mounted
read-only, and we pass on READY=1 alone, with init's pid: runc and crun do the same. Who starts a
container waits for that, as the manager expects of whatever its unit executes.
"""

from __future__ import annotations

import _socket
import os
import select
import struct

from minirt import state_root
from minirt.engine.start import start as start_container

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.codec import Json
    from minirt.engine.container import Container

DIRECTORY, NAME = "/run/notify", "notify.sock"
OPTIONS = ("bind", "nosuid", "noexec", "nodev", "ro")
LONGEST = 4096
PATIENCE_MS = 5000  # for the manager to have read what we sent


def offered(document: dict[str, Json], state_directory: str) -> dict[str, Json]:
    """The configuration with the directory, which is made, and the variable that names it."""
    process = document.get("process")
    if not isinstance(process, dict):
        return document
    directory = f"{state_directory}/notify"
    try:
        os.mkdir(directory, 0o755)
    except OSError as error:
        raise state_root.unwritable(directory, error) from None
    mount: dict[str, Json] = {
        "destination": DIRECTORY, "type": "bind", "source": directory, "options": list(OPTIONS),
    }  # fmt: skip
    env = [*_items(process.get("env")), f"NOTIFY_SOCKET={DIRECTORY}/{NAME}"]
    mounts = [*_items(document.get("mounts")), mount]
    return {**document, "process": {**process, "env": env}, "mounts": mounts}


def _items(value: Json) -> list[Json]:
    return list(value) if isinstance(value, list) else []


class Proxy:
    """The container's socket, from before its program runs until it is ready."""

    __slots__ = ("_socket", "container", "manager")

    def __init__(self, container: Container, manager: str) -> None:
        self.container = container
        self.manager = manager
        self._socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
        directory = os.open(f"{container.state.directory}/notify", os.O_PATH | os.O_CLOEXEC)
        address = f"/proc/self/fd/{directory}/{NAME}"  # a socket's path has at most 107 bytes
        try:
            if os.path.lexists(address):  # of a start that failed
                os.unlink(address)
            self._socket.bind(address)
            os.chmod(address, 0o777)  # noqa: S103  (whatever user the program is)
        finally:
            os.close(directory)

    def forward(self, *, main: bool) -> None:
        """Wait until the program is ready or has ended; tell the manager of the former.

        With `main`, init is from then on the process that the manager looks after.
        """
        poll = select.poll()
        pidfd = self.container.ctx.pidfd
        poll.register(pidfd, select.POLLIN)
        poll.register(self._socket.fileno(), select.POLLIN)
        ready = False
        while not ready:
            found = dict(poll.poll())
            if self._socket.fileno() in found:
                ready = b"READY=1" in self._socket.recv(LONGEST).split(b"\n")
            elif pidfd in found:
                break
        self._socket.close()
        if ready:
            self._tell(f"READY=1\nMAINPID={self.container.ctx.pid}\n" if main else "READY=1\n")

    def _tell(self, text: str) -> None:
        """Send it, and wait until it is read: the manager must still find the sender alive."""
        ours, theirs = os.pipe2(os.O_CLOEXEC)
        rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack("i", theirs))]
        address = f"\0{self.manager[1:]}" if self.manager.startswith("@") else self.manager
        sender = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
        try:
            sender.connect(address)
            sender.send(text.encode())
            sender.sendmsg([b"BARRIER=1"], rights)
            os.close(theirs)
            theirs = -1
            poll = select.poll()
            poll.register(ours, 0)  # only POLLHUP: the other end is closed
            poll.poll(PATIENCE_MS)
        except OSError as error:
            said = (error.strerror or "").lower()
            self.container.ctx.warn(f"cannot tell {self.manager} that the program is ready: {said}")
        finally:
            sender.close()
            os.close(ours)
            if theirs >= 0:
                os.close(theirs)


def start(container: Container, *, stays: bool) -> None:
    """Start the container, and tell when it is ready: before it returns, or while we wait for it.

    In the latter case in a thread, as the manager knows this process, and no child of it.
    """
    proxy = _proxy(container)
    start_container(container)
    # While we wait, others may exec into it, kill and delete it.
    container.state.unlock()
    if proxy is not None and stays:
        from _thread import start_new_thread

        start_new_thread(proxy.forward, (), {"main": False})
    elif proxy is not None:
        proxy.forward(main=True)


def _proxy(container: Container) -> Proxy | None:
    """The proxy of a container that was made with one, if somebody wants to know now."""
    manager = os.environ.get("NOTIFY_SOCKET", "")
    if manager[:1] not in ("/", "@") or not os.path.isdir(f"{container.state.directory}/notify"):
        return None
    return Proxy(container, manager)
