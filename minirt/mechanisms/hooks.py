"""Hooks: programs of the user's that meet the container on its way (OCI runtime-spec, hooks).

prestart and createRuntime run on the host between enter and seal, when the namespaces are
there: docker's network is such a hook. createContainer runs in the namespaces before
pivot_root, startContainer after it, poststart on the host again.
"""

from __future__ import annotations

import os

from minirt.hook import run
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from minirt.context import Context
    from minirt.spec.hooks import Hook


class Hooks(Mechanism):
    """Run the hooks of each kind at its time, the container's state as JSON on their input.

    `env` is the program's: what startContainer hooks get that have none of their own.
    """

    name = "hooks"

    def __init__(self, hooks: Mapping[str, Sequence[Hook]], env: Sequence[str] = ()) -> None:
        self.hooks = hooks
        self.env = env

    def meet(self, ctx: Context) -> None:
        self.run(ctx, "prestart", "created", ctx.pid)
        self.run(ctx, "createRuntime", "creating", ctx.pid)

    def seal(self, ctx: Context) -> None:
        os.fchdir(ctx.root)  # the container's files, which these hooks work on, have no name yet
        self.run(ctx, "createContainer", "creating", os.getpid(), ())

    def start(self, ctx: Context) -> None:
        added = [f"{name}={value}" for name, value in ctx.environment.items()]
        # Files of the image, run by who has been deprived of all but the calls.
        self.run(ctx, "startContainer", "created", os.getpid(), (*added, *self.env), ctx.confine)

    def started(self, ctx: Context) -> None:
        self.run(ctx, "poststart", "running", ctx.pid)

    def run(
        self,
        ctx: Context,
        kind: str,
        status: str,
        pid: int,
        usual: Sequence[str] | None = None,
        first: Callable[[], None] | None = None,
    ) -> None:
        """Run the hooks of a kind in their order; `pid` is init's, as seen from where they run.

        `usual` is the environment of those that have none of their own (see minirt.hook); `first`
        is what their processes do before.
        """
        for hook in self.hooks.get(kind, ()):
            run(ctx, hook, status, pid, usual, first)

    def describe(self) -> str:
        return "hooks: " + ", ".join(kind for kind, hooks in self.hooks.items() if hooks)
