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
    """Run it to its end; HostError when it fails or takes too long."""
    text = dumps(state(ctx, status, pid))
    ctx.call(hook.args or (hook.path,), text, hook.env, hook.path, hook.timeout)


def state(ctx: Context, status: str, pid: int) -> dict[str, Json]:
    """What the container's own programs are told of it (runtime.md, "State")."""
    return {
        "ociVersion": SPEC_VERSION,
        "id": ctx.id,
        "status": status,
        "pid": pid,
        "bundle": ctx.bundle,
        "annotations": dict(ctx.annotations),
    }
