"""The program's process: its terminal, its user, its rights."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.mechanism import Mechanism
    from minirt.spec import Spec


def terminal(spec: Spec) -> Mechanism | None:
    if not spec.process.terminal:
        return None
    from minirt.mechanisms.terminal import Terminal

    return Terminal(spec.process.uid)


def bounding_set(spec: Spec) -> Mechanism:
    from minirt.mechanisms.bounding_set import BoundingSet

    # A configuration without capabilities asks for none, not for all of the runtime's.
    return BoundingSet(spec.process.capabilities["bounding"], spec.required_capabilities)


def identity(spec: Spec) -> Mechanism:
    from minirt.mechanisms.identity import Identity

    who = spec.process
    return Identity(who.uid, who.gid, who.groups, who.umask)


def capabilities(spec: Spec) -> Mechanism:
    from minirt.mechanisms.capabilities import Capabilities

    return Capabilities(**spec.process.capabilities)


def rlimits(spec: Spec) -> Mechanism | None:
    if not spec.process.rlimits:
        return None
    from minirt.mechanisms.rlimits import Rlimits

    return Rlimits(spec.process.rlimits)


def no_new_privs(spec: Spec) -> Mechanism | None:
    if not spec.process.no_new_privs:
        return None
    from minirt.mechanisms.no_new_privs import NoNewPrivs

    return NoNewPrivs()


def seccomp(spec: Spec) -> Mechanism | None:
    if not spec.seccomp and not spec.default_seccomp:
        return None
    from minirt.host import cache
    from minirt.mechanisms.seccomp import Seccomp
    from minirt.seccomp import cache as seccomp_cache

    def compiled() -> bytes:
        directory = f"{cache.directory()}/seccomp"
        if spec.seccomp:
            return seccomp_cache.program(spec.seccomp, directory)
        kept = spec.process.capabilities["bounding"]
        return seccomp_cache.default_program(kept, directory)

    return Seccomp(compiled, "configured" if spec.seccomp else "default")
