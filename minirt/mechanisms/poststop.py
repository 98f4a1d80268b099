"""Poststop hooks: programs of the user's that hear of it when a container is gone.

First in the plan, so last in the tear-down: nothing of the container is left by then.
"""

from __future__ import annotations

from minirt.errors import MinirtError
from minirt.hook import run
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from minirt.context import Context
    from minirt.spec.hooks import Hook


class Poststop(Mechanism):
    """Run `hooks`; of one that fails the specification wants a warning, and the next to run."""

    name = "poststop"

    def __init__(self, hooks: Sequence[Hook]) -> None:
        self.hooks = hooks

    def teardown(self, ctx: Context) -> None:
        for hook in self.hooks:
            try:
                run(ctx, hook, "stopped", ctx.pid)
            except MinirtError as error:
                ctx.warn(str(error))

    def describe(self) -> str:
        return f"poststop hooks: {len(self.hooks)}"
