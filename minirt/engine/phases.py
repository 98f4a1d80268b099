"""Run one phase of a plan: each mechanism that overrides it, in order, named in any error."""

from __future__ import annotations

from minirt.errors import KernelError, MinirtError
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from minirt.context import Context


def having(plan: Iterable[Mechanism], phase: str) -> list[Mechanism]:
    """The mechanisms of `plan` that do something in `phase`, in the order of execution."""
    empty = getattr(Mechanism, phase)
    found = [m for m in plan if getattr(type(m), phase) is not empty]
    return found[::-1] if phase == "teardown" else found


def perform(mechanism: Mechanism, phase: str, ctx: Context) -> None:
    """One mechanism's part in a phase; what fails says where it failed."""
    try:
        getattr(mechanism, phase)(ctx)
    except MinirtError as error:
        raise placed(error, mechanism.name, phase, ctx) from None
    except OSError as error:
        call = f'{phase}("{error.filename}")' if error.filename else phase
        unexpected = KernelError(
            f"cannot set up {mechanism.describe()}", call=call, errno=error.errno or 0
        )
        raise placed(unexpected, mechanism.name, phase, ctx) from None


def placed(error: MinirtError, mechanism: str, phase: str, ctx: Context) -> MinirtError:
    """The error with its place, unless it has one already."""
    error.mechanism = error.mechanism or mechanism
    error.phase = error.phase or phase
    error.container = error.container or ctx.id
    return error
