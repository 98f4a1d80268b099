"""Failures over ids, capabilities, limits and filters."""

from __future__ import annotations

import resource

from provoke import (
    NARROW,
    USER,
    WIDE,
    lose,
    ordinary_user,
    provokes,
    run,
)

from minirt.linux import caps
from minirt.mechanisms.bounding_set import BoundingSet
from minirt.mechanisms.capabilities import Capabilities
from minirt.mechanisms.identity import Identity
from minirt.mechanisms.rlimits import Rlimits
from minirt.mechanisms.seccomp import Seccomp
from minirt.mechanisms.user import User
from minirt.seccomp.compiler import compile_profile
from minirt.seccomp.profile import default


@provokes("write", "EPERM", "uid_map")
def map_a_range_as_an_ordinary_user() -> None:
    ordinary_user()
    run(User(WIDE, WIDE))


@provokes("write", "EPERM", "gid_map")
def map_foreign_groups_as_an_ordinary_user() -> None:
    ordinary_user()
    run(User(((0, USER, 1),), WIDE))


@provokes("write", "EINVAL", "_map")
def map_overlapping_ranges() -> None:
    run(User(((0, 100_000, 10), (5, 200_000, 10)), WIDE))


@provokes("setresuid", "EINVAL")
def become_an_unmapped_user() -> None:
    run(User(NARROW, NARROW), Identity(USER, 0, (), 0o022))


@provokes("setresgid", "EINVAL")
def become_an_unmapped_group() -> None:
    run(User(NARROW, NARROW), Identity(0, USER, (), 0o022))


@provokes("setgroups", "EINVAL")
def take_an_unmapped_group() -> None:
    run(User(NARROW, NARROW), Identity(0, 0, (USER,), 0o022))


@provokes("setgroups", "EPERM")
def take_groups_as_an_ordinary_user() -> None:
    ordinary_user()
    own = ((0, USER, 1),)
    run(User(own, own), Identity(0, 0, (0,), 0o022))


@provokes("capset", "EPERM")
def inherit_more_than_the_bounding_set() -> None:
    run(BoundingSet(()), Capabilities((), (), (), ("CAP_KILL",)))


@provokes("prctl", "EPERM", "PR_CAPBSET_DROP")
def shrink_the_bounding_set_without_the_right() -> None:
    lose("CAP_SETPCAP")
    caps.drop_bounding(0)


@provokes("prlimit64", "EPERM")
def raise_a_hard_limit() -> None:
    lose("CAP_SYS_RESOURCE")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    run(Rlimits((("RLIMIT_CORE", 0, 4096),)))


@provokes("seccomp", "EACCES")
def load_a_filter_without_the_right() -> None:
    run(Identity(USER, USER, (), 0o022), Seccomp(lambda: compile_profile(default(()))))


@provokes("seccomp", "EINVAL")
def load_what_is_no_filter() -> None:
    run(Seccomp(lambda: b"\xff" * 8))
