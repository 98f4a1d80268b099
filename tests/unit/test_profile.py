"""The default seccomp profile, before it is compiled."""

from __future__ import annotations

import json

import pytest

from minirt.linux import caps
from minirt.linux.libseccomp import ACTIONS, OPERATORS
from minirt.seccomp.profile import default, resolve, text

# docs.docker.com/engine/security/seccomp, "Significant syscalls blocked by the default profile".
BLOCKED = {
    "acct", "add_key", "bpf", "clock_settime", "create_module", "delete_module", "finit_module",
    "get_kernel_syms", "get_mempolicy", "init_module", "ioperm", "iopl", "kcmp", "kexec_file_load",
    "kexec_load", "keyctl", "lookup_dcookie", "mbind", "mount", "move_pages", "nfsservctl",
    "open_by_handle_at", "perf_event_open", "pivot_root", "query_module", "quotactl", "reboot",
    "request_key", "set_mempolicy", "setns", "settimeofday", "stime", "swapon", "swapoff", "sysfs",
    "_sysctl", "umount", "umount2", "unshare", "uselib", "userfaultfd", "ustat", "vm86", "vm86old",
}  # fmt: skip


def allowed(kept: tuple[str, ...], machine: str = "x86_64") -> set[str]:
    """The calls that a container with these capabilities may make whatever their arguments."""
    groups = json.loads(json.dumps(default(kept, machine)))["syscalls"]
    plain = [g for g in groups if g["action"] == "SCMP_ACT_ALLOW" and "args" not in g]
    return {name for group in plain for name in group["names"]}


def test_what_docker_documents_as_blocked_is_not_allowed() -> None:
    assert not allowed(caps.DEFAULT) & BLOCKED
    assert not allowed(()) & BLOCKED


def test_about_as_many_calls_are_allowed_as_docker_allows() -> None:
    assert 340 < len(allowed(caps.DEFAULT)) < 380


def test_no_call_is_listed_twice_without_a_condition() -> None:
    groups = json.loads(text())["syscalls"]
    plain = [g for g in groups if not {"args", "includes", "excludes"} & set(g)]
    names = [name for group in plain for name in group["names"]]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("capability", "call"),
    [
        ("CAP_SYS_ADMIN", "mount"), ("CAP_SYS_ADMIN", "clone3"), ("CAP_SYS_CHROOT", "chroot"),
        ("CAP_SYS_BOOT", "reboot"), ("CAP_SYS_PTRACE", "kcmp"), ("CAP_SYS_TIME", "settimeofday"),
        ("CAP_DAC_READ_SEARCH", "open_by_handle_at"), ("CAP_BPF", "bpf"),
        ("CAP_SYS_MODULE", "init_module"), ("CAP_SYS_NICE", "mbind"), ("CAP_SYSLOG", "syslog"),
    ],
)  # fmt: skip
def test_a_capability_brings_its_calls(capability: str, call: str) -> None:
    assert call not in allowed(())
    assert call in allowed((capability,))


def test_a_profile_is_resolved_for_the_architecture() -> None:
    assert "arch_prctl" in allowed(()) - allowed((), "aarch64")
    assert "sync_file_range2" in allowed((), "aarch64") - allowed(())
    assert default((), "aarch64")["architectures"] == ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]
    assert len(json.loads(json.dumps(default((), "x86_64")))["architectures"]) == 3


def test_the_result_has_only_members_of_the_oci_specification() -> None:
    profile = json.loads(json.dumps(default(caps.DEFAULT, "x86_64")))
    assert set(profile) == {"defaultAction", "defaultErrnoRet", "architectures", "syscalls"}
    for group in profile["syscalls"]:
        assert set(group) <= {"names", "action", "errnoRet", "args"}
        assert group["action"] in ACTIONS
        for argument in group.get("args", ()):
            assert set(argument) <= {"index", "value", "valueTwo", "op"}
            assert argument["op"] in OPERATORS


def test_includes_need_all_capabilities_and_excludes_any() -> None:
    group = {"names": ["x"], "action": "SCMP_ACT_ALLOW"}
    both = {**group, "includes": {"caps": ["CAP_KILL", "CAP_CHOWN"]}}
    barred = {**group, "excludes": {"caps": ["CAP_KILL"], "arches": ["arm64"]}}
    source = json.dumps({"syscalls": [both, barred]})

    def count(kept: tuple[str, ...], machine: str = "x86_64") -> int:
        return len(json.loads(json.dumps(resolve(source, kept, machine)))["syscalls"])

    assert count(("CAP_KILL",)) == 0
    assert count(("CAP_KILL", "CAP_CHOWN")) == 1
    assert count(()) == 1
    assert count((), "aarch64") == 0
