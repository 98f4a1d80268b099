"""The user namespace, from outside."""

from __future__ import annotations

import os

import pytest
from confined import confined, in_child, open_directory

from minirt.errors import KernelError
from minirt.linux import caps
from minirt.linux.namespaces import inode
from minirt.linux.process import PR_SET_DUMPABLE, prctl
from minirt.mechanisms.bounding_set import BoundingSet
from minirt.mechanisms.capabilities import Capabilities
from minirt.mechanisms.identity import Identity
from minirt.mechanisms.user import User

MAPS = ((0, 100_000, 65_536),)
KEPT = caps.DEFAULT


def test_root_inside_is_the_mapped_user_outside() -> None:
    with confined(User(MAPS, MAPS)) as process:
        assert inode(process.pid, "user") != inode("self", "user")
        assert process.status("Uid").split() == ["100000"] * 4
        assert process.status("Gid").split() == ["100000"] * 4
        assert process.status("Groups") == ""
        assert process.run("print(os.getuid(), os.getgid(), os.getgroups())") == "0 0 []"


def test_the_groups_of_the_caller_do_not_come_along() -> None:
    def run() -> str:
        os.setgroups([5, 100_006])
        with confined(User(MAPS, MAPS)) as process:
            return process.run("print(os.getgroups())")

    assert in_child(run) == "[]"


def test_root_inside_cannot_touch_the_hosts_files() -> None:
    with open_directory() as directory, confined(User(MAPS, MAPS)) as process:
        secret = f"{directory}/secret"
        os.close(os.open(secret, os.O_CREAT, 0o600))
        shown = process.run(f"print(call(2, b'{secret}', 0), call(90, b'{secret}', 0o666))")
        assert shown == "EACCES EPERM"
        assert os.stat(secret).st_mode & 0o777 == 0o600


def test_the_limits_of_step_6_work_inside_a_user_namespace() -> None:
    plan = (
        User(MAPS, MAPS),
        BoundingSet(KEPT),
        Identity(1000, 1000, (5,), 0o022),
        Capabilities(KEPT, KEPT, KEPT),
    )
    warnings: list[str] = []
    with confined(*plan, warnings=warnings) as process:
        assert process.status("Uid").split() == ["101000"] * 4
        assert process.status("Groups") == "100005"
        assert process.caps("CapBnd") == caps.mask(KEPT)
        assert process.caps("CapEff") == 0
    assert warnings == []


def test_a_new_user_namespace_has_capabilities_that_its_maker_lacks() -> None:
    warnings: list[str] = []
    with confined(User(MAPS, MAPS), BoundingSet(caps.NAMES), warnings=warnings) as process:
        assert process.caps("CapBnd") == caps.mask(caps.NAMES)
    assert warnings == []


def test_an_ordinary_user_maps_their_own_id_and_gives_up_setgroups() -> None:
    maps = ((0, 1000, 1),)
    shown = as_user(maps)
    assert shown == "0 0 deny []"


def test_an_ordinary_user_may_not_map_a_range() -> None:
    shown = as_user(MAPS)
    assert 'uid_map", "0 100000 65536") = EPERM' in shown


def as_user(maps: tuple[tuple[int, int, int], ...]) -> str:
    """What a process of user 1000 sees in a user namespace with these maps, or its error."""

    def run() -> str:
        os.setgroups(())
        os.setresgid(1000, 1000, 1000)
        os.setresuid(1000, 1000, 1000)
        # As after an exec: a change of user closes the process' /proc files to itself.
        prctl(PR_SET_DUMPABLE, 1, what="cannot become dumpable")
        with confined(User(maps, maps)) as process:
            setgroups = "open('/proc/self/setgroups').read().strip()"
            return process.run(f"print(os.getuid(), os.getgid(), {setgroups}, os.getgroups())")

    return in_child(run)


def test_maps_that_overlap_are_refused_by_the_kernel() -> None:
    overlapping = ((0, 100_000, 10), (5, 200_000, 10))
    with pytest.raises(KernelError) as caught, confined(User(overlapping, overlapping)):
        pass
    assert caught.value.errno_name() == "EINVAL"
