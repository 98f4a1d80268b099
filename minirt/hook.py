"""Run one hook: a program of the user's, the container's state as JSON on its input."""

from __future__ import annotations

from minirt.codec import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.codec import Json
    from minirt.context import Context
    from minirt.spec.hooks import Hook

SPEC_VERSION = "1.2.0"


def run(ctx: Context, hook: Hook, status: str, pid: int) -> None:
    """Run it to its end (runtime.md, "State"); HostError when it fails or takes too long."""
    state: dict[str, Json] = {
        "ociVersion": SPEC_VERSION,
        "id": ctx.id,
        "status": status,
        "pid": pid,
        "bundle": ctx.bundle,
        "annotations": dict(ctx.annotations),
    }
    ctx.call(hook.args or (hook.path,), dumps(state), hook.env, hook.path, hook.timeout)
