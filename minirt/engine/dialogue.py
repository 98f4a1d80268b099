"""The host's half of the talk with init: let it set up, let it execute."""

from __future__ import annotations

from minirt.engine.phases import having, placed
from minirt.errors import InitDied
from minirt.linux.ending import wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

    from minirt.engine.container import Container
    from minirt.errors import MinirtError
    from minirt.wire import Channel


KILLED = 128 + 9


class Dialogue:
    """A channel to the init of `container`; its end is closed with the `with` block."""

    __slots__ = ("channel", "container")

    def __init__(self, container: Container, channel: Channel) -> None:
        self.container = container
        self.channel: Channel | None = channel

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.channel is not None:
            self.channel.close()

    def set_up(self) -> None:
        """Attach, then lead init through enter and seal, with meet in between if there is any."""
        self.container.phase("attach")
        if having(self.container.plan, "meet"):
            self._go_until("entered")
            self.container.phase("meet")
        self._go_until("sealed")

    def keep_channel(self) -> None:
        """Leave the channel open in the container's hands: the same process will start it."""
        self.container.channel, self.channel = self.channel, None

    def leave(self) -> None:
        """Let init wait for another process, which will start it."""
        self._go()

    def execute(self) -> None:
        """Let init execute its program; its end of the channel is closed by execve."""
        self._go()
        if having(self.container.plan, "assist"):
            self.container.ctx.take_fd = self._take
            self.container.phase("assist")
        self._until("")
        container = self.container
        if container.page is not None:
            container.exec_at = container.page.executed()
            if not container.exec_at:
                raise self._died()

    def _go_until(self, kind: str) -> None:
        """Let init go on until it says `kind`; an error that it sends instead is raised."""
        self._go()
        self._until(kind)

    def _go(self) -> None:
        assert self.channel is not None  # noqa: S101
        try:
            self.channel.send("go")
        except BrokenPipeError:
            pass  # it is dead, but may have said why

    def _take(self) -> int:
        """The next descriptor that init sends."""
        assert self.channel is not None  # noqa: S101
        message = self.channel.receive()
        while message["kind"] == "warning":
            self.container.ctx.warn(str(message["text"]))
            message = self.channel.receive()
        if message["kind"] != "fd":
            raise self._died()
        return self.channel.fds.pop()

    def _until(self, kind: str) -> None:
        channel = self.channel
        assert channel is not None  # noqa: S101
        message = channel.receive()
        while message["kind"] in ("fd", "warning"):
            if message["kind"] == "fd":
                self.container.terminal = channel.fds.pop()
            else:
                self.container.ctx.warn(str(message["text"]))
            message = channel.receive()
        if message["kind"] != kind:
            raise self._died()

    def _died(self) -> MinirtError:
        status = wait(self.container.ctx.pidfd)
        how = f"signal {status - 128}" if status > 128 else f"status {status}"
        died = InitDied(f"the container's init died ({how})")
        if status == KILLED and "memory" in self.container.spec.cgroup_resources:
            died.hint = "if its memory limit is too low to start in, raise it"
        return placed(died, "", "", self.container.ctx)
