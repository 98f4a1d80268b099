"""A mechanism: one feature of the kernel that isolates or limits a process.

    host                                   child (the container's init to be)
    prepare*
    ── clone3 ───────────────────────────► waits
    attach*
    ── go ───────────────────────────────► enter*      host's files still visible
    meet*  ◄───────────────── entered ──
    ── go ───────────────────────────────► seal*       pivot_root, and all after it
           ◄────────────────── sealed ──   waits for `start`
    ── start ────────────────────────────► start*, exec
    assist*                                at the same time
    started*

`teardown` runs on the host when the container is deleted, in reverse order.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context

PHASES = ("prepare", "attach", "enter", "meet", "seal", "start", "assist", "started", "teardown")
CHILD_PHASES = ("enter", "seal", "start")
# What may be performed by another process than the one that made the container.
LATER_PHASES = ("assist", "started", "teardown")


class Mechanism:
    """The base of all mechanisms: a name and empty phases.

    A subclass overrides the phases it needs; one that no mechanism of a plan overrides does not
    happen. `namespace` is the one it needs made or joined ("uts", as under /proc/PID/ns).
    """

    name = ""
    namespace = ""
    by_hand_on_host = False

    def prepare(self, ctx: Context) -> None:
        """On the host, before the clone."""

    def attach(self, ctx: Context) -> None:
        """On the host, while the child exists and waits: `ctx.pid`, `ctx.pidfd`."""

    def enter(self, ctx: Context) -> None:
        """In the child, with the host's files still visible."""

    def meet(self, ctx: Context) -> None:
        """On the host again, while the child waits between enter and seal."""

    def seal(self, ctx: Context) -> None:
        """In the child: pivot_root and everything after it."""

    def start(self, ctx: Context) -> None:
        """In the child, right before exec."""

    def assist(self, ctx: Context) -> None:
        """On the host, while the child is in `start`."""

    def started(self, ctx: Context) -> None:
        """On the host, after exec."""

    def teardown(self, ctx: Context) -> None:
        """On the host: remove what `ctx.created` says was made. Idempotent."""

    def describe(self) -> str:
        """One line, in the words of the lesson."""
        raise NotImplementedError

    def by_hand(self) -> list[str]:
        """The shell commands that do the same.

        Inside, where `$$` is init and the root is still `$dir/rootfs`; with `by_hand_on_host`
        on the host, where init is $PID.
        """
        return []

    def undo_by_hand(self) -> list[str]:
        """The commands that remove what would stay on the host."""
        return []
