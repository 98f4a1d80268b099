"""Compiled filters, judged call by call without loading them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bpf import ALLOW, AUDIT_AARCH64, AUDIT_I386, ERRNO, X32, allows, judge

from minirt.errors import ConfigError, HostError
from minirt.linux import caps, libseccomp
from minirt.linux.calls import MACHINE
from minirt.seccomp.compiler import compile_profile
from minirt.seccomp.profile import default

if TYPE_CHECKING:
    from minirt.codec import Json

pytestmark = pytest.mark.skipif(MACHINE != "x86_64", reason="numbers of x86_64")
EPERM, ENOSYS = ERRNO | 1, ERRNO | 38
READ, GETPID, SOCKET, CLONE, MOUNT, PERSONALITY, UNSHARE, CLONE3 = 0, 39, 41, 56, 165, 135, 272, 435
PROGRAM = compile_profile(default(caps.DEFAULT))


def profile(*syscalls: Json, action: str = "SCMP_ACT_ERRNO") -> dict[str, Json]:
    return {"defaultAction": action, "syscalls": list(syscalls)}


def entry(*names: str, action: str = "SCMP_ACT_ALLOW", **more: Json) -> dict[str, Json]:
    return {"names": list(names), "action": action, **more}


def compare(index: int, op: str, value: int, value_two: int = 0) -> dict[str, Json]:
    return {"index": index, "op": f"SCMP_CMP_{op}", "value": value, "valueTwo": value_two}


def test_allowed_calls_pass_and_others_are_refused() -> None:
    assert allows(PROGRAM, READ)
    assert judge(PROGRAM, MOUNT) == EPERM


def test_clone_passes_unless_it_makes_a_namespace() -> None:
    assert allows(PROGRAM, CLONE, 0x3D0F00)
    for bit in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert judge(PROGRAM, CLONE, 0x3D0F00 | bit) == EPERM


def test_clone3_answers_that_it_does_not_exist() -> None:
    assert judge(PROGRAM, CLONE3) == ENOSYS


def test_personality_passes_for_five_values() -> None:
    for value in (0, 8, 0x20000, 0x20008, 0xFFFFFFFF):
        assert allows(PROGRAM, PERSONALITY, value)
    for value in (1, 0x40000, 0x400000, 1 << 32 | 8):
        assert judge(PROGRAM, PERSONALITY, value) == EPERM


def test_every_address_family_passes_but_vsock() -> None:
    for family in range(46):
        assert allows(PROGRAM, SOCKET, family, 1, 0) == (family != 40)
    assert judge(PROGRAM, SOCKET, 1 << 32 | 40, 1, 0) == EPERM


def test_the_numbers_of_each_architecture_are_its_own() -> None:
    assert allows(PROGRAM, 20, arch=AUDIT_I386)  # getpid; on x86_64 20 is writev
    assert judge(PROGRAM, 21, arch=AUDIT_I386) == EPERM  # mount; on x86_64 21 is access
    assert allows(PROGRAM, X32 | GETPID)
    assert judge(PROGRAM, X32 | MOUNT) == EPERM


def test_the_profile_for_aarch64_has_its_numbers() -> None:
    program = compile_profile(default(caps.DEFAULT, "aarch64"))
    assert allows(program, 63, arch=AUDIT_AARCH64)  # read
    assert allows(program, 220, 17, arch=AUDIT_AARCH64)  # clone, as fork makes it
    assert judge(program, 220, 0x10000011, arch=AUDIT_AARCH64) == EPERM  # with CLONE_NEWUSER
    assert judge(program, 40, arch=AUDIT_AARCH64) == EPERM  # mount
    assert judge(program, 900, arch=AUDIT_AARCH64) == ENOSYS


def test_an_architecture_that_the_profile_does_not_have_is_killed() -> None:
    native = compile_profile({**profile(entry("read")), "architectures": ["SCMP_ARCH_X86_64"]})
    assert allows(native, READ)
    assert judge(native, READ, arch=AUDIT_I386) == libseccomp.KILL_THREAD
    assert judge(native, X32 | READ) == libseccomp.KILL_THREAD


def test_calls_newer_than_those_named_do_not_exist() -> None:
    small = compile_profile(profile(entry("read", "mount")))
    assert judge(small, GETPID) == EPERM
    assert judge(small, MOUNT + 1) == ENOSYS
    assert judge(small, 5000) == ENOSYS


def test_a_profile_that_allows_by_default_allows_new_calls_too() -> None:
    lenient = compile_profile(
        profile(entry("mount", action="SCMP_ACT_ERRNO", errnoRet=13), action="SCMP_ACT_ALLOW")
    )
    assert judge(lenient, 5000) == ALLOW
    assert judge(lenient, MOUNT) == ERRNO | 13


def test_all_entries_of_args_must_hold() -> None:
    both = [compare(0, "EQ", 2), compare(1, "MASKED_EQ", 0xF, 1)]
    program = compile_profile(profile(entry("socket", args=both)))
    assert allows(program, SOCKET, 2, 0x801)
    assert not allows(program, SOCKET, 2, 2)
    assert not allows(program, SOCKET, 1, 1)


def test_several_entries_for_one_argument_are_alternatives() -> None:
    either = [compare(0, "EQ", 2), compare(0, "EQ", 10)]
    program = compile_profile(profile(entry("socket", args=either)))
    assert [family for family in range(20) if allows(program, SOCKET, family)] == [2, 10]


@pytest.mark.parametrize(
    ("action", "answer"),
    [
        ("KILL", 0), ("KILL_THREAD", 0), ("KILL_PROCESS", 0x80000000), ("TRAP", 0x30000),
        ("ERRNO", ERRNO | 1), ("TRACE", 0x7FF00001), ("LOG", 0x7FFC0000), ("NOTIFY", 0x7FC00000),
    ],
)  # fmt: skip
def test_every_action_is_what_the_kernel_calls_so(action: str, answer: int) -> None:
    """The numbers are those of linux/seccomp.h."""
    rule = entry("mount", action=f"SCMP_ACT_{action}")
    program = compile_profile(profile(rule, action="SCMP_ACT_ALLOW"))
    assert judge(program, MOUNT) == answer
    assert allows(program, UNSHARE)
    default = compile_profile(profile(entry("mount"), action=f"SCMP_ACT_{action}"))
    assert allows(default, MOUNT)
    assert judge(default, READ) == answer


@pytest.mark.parametrize(
    ("op", "passing"),
    [
        ("NE", [0, 1, 3, 4]), ("LT", [0, 1]), ("LE", [0, 1, 2]), ("EQ", [2]), ("GE", [2, 3, 4]),
        ("GT", [3, 4]),
    ],
)  # fmt: skip
def test_every_operator_compares_as_its_name_says(op: str, passing: list[int]) -> None:
    program = compile_profile(profile(entry("socket", args=[compare(1, op, 2)])))
    assert [value for value in range(5) if allows(program, SOCKET, 9, value)] == passing


def test_a_value_has_64_bits() -> None:
    most = 0xFFFFFFFFFFFFFFFF
    program = compile_profile(profile(entry("socket", args=[compare(0, "EQ", most)])))
    assert allows(program, SOCKET, most)
    assert not allows(program, SOCKET, most >> 32)


def test_the_machines_own_architecture_need_not_be_named() -> None:
    program = compile_profile({**profile(entry("mount")), "architectures": ["SCMP_ARCH_X86"]})
    assert allows(program, MOUNT)
    assert judge(program, 5000) == ENOSYS
    assert allows(program, 21, arch=AUDIT_I386)  # mount there


def test_names_that_the_library_does_not_know_are_skipped() -> None:
    assert allows(compile_profile(profile(entry("read", "no_such_call"))), READ)


def test_a_rule_that_repeats_the_default_action_is_no_error() -> None:
    again = entry("mount", action="SCMP_ACT_ERRNO")
    assert judge(compile_profile(profile(again, entry("unshare"))), MOUNT) == EPERM


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        (profile(action="SCMP_ACT_NONE"), "/linux/seccomp/defaultAction"),
        (profile(entry("read", action="ALLOW")), "/linux/seccomp/syscalls/0/action"),
        (profile(entry()), "/linux/seccomp/syscalls/0/names"),
        (profile(entry("read", args=[compare(6, "EQ", 0)])), "/syscalls/0/args/0/index"),
        (profile(entry("read", args=[compare(0, "ABOUT", 0)])), "/syscalls/0/args/0/op"),
        ({**profile(), "architectures": ["PDP11"]}, "/linux/seccomp/architectures/0"),
        ({**profile(), "defaultErrnoRet": 5000}, "/linux/seccomp/defaultErrnoRet"),
        ({**profile(action="SCMP_ACT_KILL"), "defaultErrnoRet": 1}, "/defaultErrnoRet"),
        (profile(entry("read", errnoRet=2)), "/syscalls/0/errnoRet"),
        (profile(entry("read", action="SCMP_ACT_NOTIFY", errnoRet=2)), "/syscalls/0/errnoRet"),
        (profile(entry("read", args=[compare(0, "EQ", -1)])), "/syscalls/0/args/0/value"),
        (profile(entry("read", args=[compare(0, "EQ", 0, 1 << 64)])), "/args/0/valueTwo"),
        ({**profile(), "architectures": ["SCMP_ARCH_S390X"]}, "/linux/seccomp/architectures"),
    ],
)
def test_what_is_wrong_in_a_profile_is_pointed_at(wrong: dict[str, Json], pointer: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compile_profile(wrong)
    assert caught.value.pointer.endswith(pointer)


def test_without_the_library_the_error_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(libseccomp.ctypes, "CDLL", missing)
    with pytest.raises(HostError, match="no libseccomp") as caught:
        compile_profile(profile())
    assert "libseccomp2" in caught.value.hint
