"""Run one hook: a program of the user's, the container's state as JSON on its input."""

from __future__ import annotations

import os

from minirt.codec import dumps
from minirt.errors import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from minirt.codec import Json
    from minirt.context import Context
    from minirt.spec.hooks import Hook

SPEC_VERSION = "1.2.0"


def run(
    ctx: Context,
    hook: Hook,
    status: str,
    pid: int,
    usual: Sequence[str] | None = None,
    first: Callable[[], None] | None = None,
) -> None:
    """Run it to its end; HostError when it fails or takes too long.

    Without an `env` of its own it gets the `usual` one: our own, as with any execve, unless it
    runs inside, where our variables are none of the container's business. `first` is what its
    process does before it is the hook.
    """
    text = dumps(state(ctx, status, pid))
    env = hook.env or (inherited() if usual is None else usual)
    try:
        ctx.call(hook.args or (hook.path,), text, env, hook.path, hook.timeout, first)
    except HostError as error:
        raise HostError(f"{hook.pointer}: {error.what}", hint=error.hint) from None


def inherited() -> list[str]:
    """Our own environment, with a PATH where an engine gave us none."""
    from minirt.linux.command import PATH

    return [f"{name}={value}" for name, value in {"PATH": PATH, **os.environ}.items()]


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
