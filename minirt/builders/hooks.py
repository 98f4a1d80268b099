"""Programs of the user's that the container meets on its way."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.mechanism import Mechanism
    from minirt.spec import Spec


def hooks(spec: Spec) -> Mechanism | None:
    found = {kind: given for kind, given in spec.hooks.items() if kind != "poststop"}
    if not found:
        return None
    from minirt.mechanisms.hooks import Hooks

    return Hooks(found, spec.process.env)


def poststop(spec: Spec) -> Mechanism | None:
    if "poststop" not in spec.hooks:
        return None
    from minirt.mechanisms.poststop import Poststop

    return Poststop(spec.hooks["poststop"])
