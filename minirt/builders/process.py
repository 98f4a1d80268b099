"""The program's process: its terminal, its user, its rights."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.mechanism import Mechanism
    from minirt.spec import Spec

# `minirt.terminal`: only what is the caller's terminal becomes the container's.
PARTIAL = "partial"


def terminal(spec: Spec) -> Mechanism | None:
    if not spec.process.terminal or spec.terminal != PARTIAL:
        return None
    from minirt.mechanisms.terminal import Terminal

    return Terminal(spec.process.uid)


def pty(spec: Spec) -> Mechanism | None:
    if not spec.process.terminal or spec.terminal == PARTIAL:
        return None
    from minirt.mechanisms.pty import Pty

    return Pty(spec.process.uid, spec.process.console_size)


def stdio(spec: Spec) -> Mechanism:
    from minirt.mechanisms.stdio import Stdio

    return Stdio(spec.process.uid)


def home(spec: Spec) -> Mechanism | None:
    if not spec.has_root or any(variable.startswith("HOME=") for variable in spec.process.env):
        return None
    from minirt.mechanisms.home import Home

    return Home(spec.process.uid)


def oom_score(spec: Spec) -> Mechanism | None:
    if spec.process.oom_score_adj is None:
        return None
    from minirt.mechanisms.oom_score import OomScore

    return OomScore(spec.process.oom_score_adj)


def scheduling(spec: Spec) -> Mechanism | None:
    if spec.process.scheduler is None and spec.process.io_priority is None:
        return None
    from minirt.mechanisms.scheduling import Scheduling

    return Scheduling(spec.process.scheduler, spec.process.io_priority)


def memory_policy(spec: Spec) -> Mechanism | None:
    if spec.memory_policy is None:
        return None
    from minirt.mechanisms.memory_policy import MemoryPolicy

    return MemoryPolicy(*spec.memory_policy)


def personality(spec: Spec) -> Mechanism | None:
    if spec.personality is None:
        return None
    from minirt.mechanisms.personality import Personality

    return Personality(spec.personality)


def working_directory(spec: Spec) -> Mechanism | None:
    if spec.process.cwd == "/":
        return None
    from minirt.mechanisms.working_directory import WorkingDirectory

    return WorkingDirectory(spec.process.cwd)


def labels(spec: Spec) -> Mechanism | None:
    if not spec.process.apparmor_profile and not spec.process.selinux_label:
        return None
    from minirt.mechanisms.labels import Labels

    return Labels(spec.process.apparmor_profile, spec.process.selinux_label)


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
    if spec.seccomp_listener or not (spec.seccomp or spec.default_seccomp):
        return None
    from minirt.mechanisms.seccomp import Seccomp

    profile = "configured" if spec.seccomp else "default"
    return Seccomp(lambda: _filter(spec), profile, spec.seccomp_flags)


def seccomp_notify(spec: Spec) -> Mechanism | None:
    if not spec.seccomp_listener:
        return None
    from minirt.mechanisms.seccomp_notify import SeccompNotify

    return SeccompNotify(lambda: _filter(spec), *spec.seccomp_listener, flags=spec.seccomp_flags)


def _filter(spec: Spec) -> bytes:
    """The compiled program."""
    from minirt.host import cache
    from minirt.seccomp import cache as seccomp_cache

    directory = f"{cache.directory()}/seccomp"
    if spec.seccomp:
        return seccomp_cache.program(spec.seccomp, directory)
    return seccomp_cache.default_program(spec.process.capabilities["bounding"], directory)
