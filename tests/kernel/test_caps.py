"""Capabilities, bounding set, identity and limits, as the kernel reports them from outside."""

from __future__ import annotations

import os

import pytest
from confined import confined, in_child, open_directory

from minirt.errors import KernelError
from minirt.linux import caps
from minirt.linux.rlimits import INFINITY
from minirt.mechanisms.bounding_set import BoundingSet
from minirt.mechanisms.capabilities import Capabilities
from minirt.mechanisms.identity import Identity
from minirt.mechanisms.no_new_privs import NoNewPrivs
from minirt.mechanisms.rlimits import Rlimits

KEPT = caps.DEFAULT
MASK = caps.mask(KEPT)
OWN = caps.of_process("self")


def limited(uid: int = 0, kept: tuple[str, ...] = KEPT, ambient: tuple[str, ...] = ()) -> tuple:
    """What the plan of a container has for these capabilities and this user."""
    return (
        BoundingSet(kept),
        Identity(uid, uid, (), 0o022),
        Capabilities(kept, kept, kept, ambient, ambient),
    )


def test_root_has_the_default_capabilities_and_no_more() -> None:
    with confined(*limited()) as process:
        assert process.caps("CapBnd") == MASK
        assert process.caps("CapPrm") == MASK
        assert process.caps("CapEff") == MASK
        assert process.caps("CapInh") == process.caps("CapAmb") == 0


def test_an_empty_bounding_set_is_empty() -> None:
    with confined(BoundingSet(())) as process:
        assert process.caps("CapBnd") == 0


def test_another_user_has_no_capabilities_after_exec() -> None:
    with confined(*limited(uid=1000)) as process:
        assert process.caps("CapBnd") == MASK
        assert process.caps("CapPrm") == process.caps("CapEff") == 0


def test_ambient_capabilities_survive_exec_of_another_user() -> None:
    ambient = ("CAP_NET_BIND_SERVICE",)
    with confined(*limited(uid=1000, ambient=ambient)) as process:
        wanted = caps.mask(ambient)
        assert [process.caps(name) for name in ("CapAmb", "CapPrm", "CapEff")] == [wanted] * 3


def test_cap_sys_admin_does_not_survive_exec() -> None:
    for uid in (0, 1000):
        with confined(*limited(uid)) as process:
            for name in ("CapBnd", "CapPrm", "CapEff", "CapInh", "CapAmb"):
                assert not process.caps(name) & caps.SYS_ADMIN


def test_no_new_privs_changes_nothing_for_root_and_is_seen_from_outside() -> None:
    with confined(*limited(), NoNewPrivs()) as process:
        assert process.status("NoNewPrivs") == "1"
        assert process.caps("CapEff") == MASK


def test_root_without_capabilities_cannot_do_what_root_does() -> None:
    with open_directory() as directory:
        attacks = f"""
print(call(165, b"none", b"{directory}", b"tmpfs", 0, None))    # mount
print(call(133, b"{directory}/null", 0o20666, 0x103))          # mknod of /dev/null
print(call(41, 17, 3, 0))                                      # socket(AF_PACKET, SOCK_RAW)
print(call(170, b"evil", 4))                                   # sethostname
print(call(161, b"/"))                                         # chroot
"""
        with confined(*limited(kept=())) as process:
            assert process.run(attacks).split() == ["EPERM"] * 5
        with confined(*limited()) as process:
            assert process.run(attacks).split() == ["EPERM", "ok", "ok", "EPERM", "ok"]


def test_dropping_only_the_effective_set_would_be_undone_by_exec() -> None:
    with confined(Capabilities((), (), ())) as process:
        assert process.caps("CapEff") == OWN["CapBnd"]


def set_user_id_cat(directory: str) -> str:
    """A copy of cat that runs as root whoever starts it."""
    path = f"{directory}/cat"
    with open("/bin/cat", "rb") as source, open(path, "wb") as copy:
        copy.write(source.read())
    os.chmod(path, 0o4755)  # noqa: S103  (the attack)
    return path


@pytest.mark.parametrize(("extra", "uid"), [((), "0"), ((NoNewPrivs(),), "1000")])
def test_no_new_privs_disarms_set_user_id_programs(extra: tuple, uid: str) -> None:
    with open_directory() as directory, confined(*limited(uid=1000), *extra) as process:
        program = set_user_id_cat(directory)
        shown = process.run(f"os.execv({program!r}, ['cat', '/proc/self/status'])")
    ids = next(line for line in shown.splitlines() if line.startswith("Uid:")).split()
    assert ids == ["Uid:", "1000", uid, uid, uid]


def test_a_set_user_id_program_gains_no_more_than_the_bounding_set() -> None:
    with open_directory() as directory, confined(*limited(uid=1000, kept=("CAP_KILL",))) as process:
        program = set_user_id_cat(directory)
        shown = process.run(f"os.execv({program!r}, ['cat', '/proc/self/status'])")
    assert f"CapEff:\t{1 << 5:016x}" in shown


def without_sys_time(*required: str) -> str:
    """The bounding set and warnings of a container whose maker lacks CAP_SYS_TIME."""

    def run() -> str:
        caps.drop_bounding(~caps.mask(("CAP_SYS_TIME",)))
        warnings: list[str] = []
        keep = BoundingSet(("CAP_KILL", "CAP_SYS_TIME"), required=required)
        with confined(keep, warnings=warnings) as process:
            return f"{process.caps('CapBnd')} {warnings}"

    return in_child(run)


def test_a_capability_that_the_maker_lacks_is_a_warning() -> None:
    bounding, _, warnings = without_sys_time().partition(" ")
    assert int(bounding) == caps.mask(("CAP_KILL",))
    assert "cannot have CAP_SYS_TIME" in warnings


def test_a_capability_that_was_asked_for_and_cannot_be_had_is_an_error() -> None:
    shown = without_sys_time("CAP_SYS_TIME")
    assert shown.startswith("the container cannot have CAP_SYS_TIME")


def test_inheritable_beyond_the_bounding_set_is_refused_with_the_call() -> None:
    plan = (BoundingSet(()), Capabilities((), (), (), ("CAP_KILL",)))
    with pytest.raises(KernelError) as caught, confined(*plan):
        pass
    assert "inheritable=CAP_KILL) = EPERM" in caught.value.call_line()


def test_rlimits_are_set_inside_and_not_outside() -> None:
    with confined(Rlimits((("RLIMIT_NOFILE", 64, 128), ("RLIMIT_CORE", 0, 0)))) as process:
        rows = {
            line[:25].strip(): line[25:].split()[:2]
            for line in process.run("print(open('/proc/self/limits').read())").splitlines()
        }
    assert rows["Max open files"] == ["64", "128"]
    assert rows["Max core file size"] == ["0", "0"]


def test_a_small_address_space_still_leaves_room_to_get_to_exec() -> None:
    size = 64 << 20
    with confined(Rlimits((("RLIMIT_AS", size, size),))) as process:
        assert process.run("print(open('/proc/self/limits').read())").count(str(size)) == 2


def test_a_hard_limit_that_may_not_be_raised_is_an_error_before_anything_runs() -> None:
    def run() -> str:
        _, permitted, _ = caps.capget()
        left = permitted & ~caps.mask(("CAP_SYS_RESOURCE",))
        caps.capset(left, left, 0)
        with confined(Rlimits((("RLIMIT_NOFILE", 64, INFINITY),))):
            return "raised"

    shown = in_child(run)
    assert "RLIMIT_NOFILE, {" in shown
    assert not shown.startswith("prlimit64(0,")  # from outside, where the right would be
    assert "RLIM64_INFINITY}) = EPERM" in shown
