"""`process`, names and hooks of config.json: what is wrong is named by its pointer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from minirt.errors import ConfigError
from minirt.linux import cpus
from minirt.spec import Spec

if TYPE_CHECKING:
    from minirt.codec import Json
    from minirt.spec.process import Process

OWN: dict[str, Json] = {"namespaces": [{"type": kind} for kind in ("uts", "ipc", "network")]}


def process(**members: Json) -> Process:
    return Spec({"process": {"args": ["true"], **members}}).process


def linux(**members: Json) -> Spec:
    return Spec({"process": {"args": ["true"]}, "linux": {**OWN, **members}})


WRONG: tuple[tuple[dict[str, Json], str], ...] = (
    ({"user": {"uid": -1}}, "/process/user/uid"),
    ({"user": {"gid": 1 << 32}}, "/process/user/gid"),
    ({"user": {"umask": 1 << 64}}, "/process/user/umask"),
    ({"user": {"umask": -1}}, "/process/user/umask"),
    ({"user": {"additionalGids": [1, "2"]}}, "/process/user/additionalGids/1"),
    ({"rlimits": [{"type": "RLIMIT_FUN", "soft": 1, "hard": 1}]}, "/process/rlimits/0/type"),
    ({"rlimits": [{"type": "RLIMIT_CORE", "soft": 2, "hard": 1}]}, "/process/rlimits/0/soft"),
    ({"rlimits": [{"type": "RLIMIT_CORE"}] * 2}, "/process/rlimits/1/type"),
    ({"oomScoreAdj": 1001}, "/process/oomScoreAdj"),
    ({"scheduler": {"policy": "SCHED_FUN"}}, "/process/scheduler/policy"),
    ({"scheduler": {"policy": "SCHED_OTHER", "nice": 20}}, "/process/scheduler/nice"),
    ({"scheduler": {"policy": "SCHED_OTHER", "priority": 1}}, "/process/scheduler/priority"),
    ({"scheduler": {"policy": "SCHED_FIFO", "priority": 1 << 32}}, "/process/scheduler/priority"),
    ({"scheduler": {"policy": "SCHED_FIFO", "runtime": 1}}, "/process/scheduler/runtime"),
    ({"scheduler": {"policy": "SCHED_DEADLINE", "period": -1}}, "/process/scheduler/period"),
    ({"scheduler": {"policy": "SCHED_FIFO", "flags": ["X"]}}, "/process/scheduler/flags/0"),
    ({"ioPriority": {"class": "IOPRIO_CLASS_FUN"}}, "/process/ioPriority/class"),
    ({"ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 8}}, "/process/ioPriority/priority"),
    ({"execCPUAffinity": {"initial": "0-"}}, "/process/execCPUAffinity"),
    ({"consoleSize": {"height": -1, "width": 1}}, "/process/consoleSize/height"),
)


@pytest.mark.parametrize(("members", "pointer"), WRONG, ids=lambda value: str(value)[:60])
def test_a_wrong_member_is_named(members: dict[str, Json], pointer: str) -> None:
    with pytest.raises(ConfigError) as caught:
        process(**members)
    assert caught.value.pointer == pointer


def test_unknown_capabilities_are_set_aside_to_be_warned_of() -> None:
    made = process(capabilities={"bounding": ["CAP_CHOWN", "CAP_FUN"], "ambient": ["CAP_FUN"]})
    assert made.capabilities["bounding"] == ("CAP_CHOWN",)
    assert made.unknown_capabilities == ("CAP_FUN",)


def test_a_scheduler_is_read_whole() -> None:
    made = process(
        scheduler={
            "policy": "SCHED_DEADLINE", "flags": ["SCHED_FLAG_RESET_ON_FORK"],
            "runtime": 1, "deadline": 2, "period": 3,
        },
        ioPriority={"class": "IOPRIO_CLASS_IDLE", "priority": 2},
        execCPUAffinity={"initial": "0-2,5", "final": "1"},
    )  # fmt: skip
    wanted = made.scheduler
    assert wanted is not None
    assert (wanted.policy, wanted.flags) == (6, 1)
    assert (wanted.runtime, wanted.deadline, wanted.period) == (1, 2, 3)
    assert made.io_priority == (3, 2)
    assert made.affinity == ({0, 1, 2, 5}, {1})


@pytest.mark.parametrize("text", ["x", "3-1", "1-2-3", "-1", "99999"])
def test_a_list_of_cpus_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        cpus.parse(text)


@pytest.mark.parametrize("member", ["hostname", "domainname"])
def test_a_name_needs_a_namespace_of_its_own(member: str) -> None:
    with pytest.raises(ConfigError, match="private UTS namespace") as caught:
        Spec({"process": {"args": ["true"]}, member: "web1"})
    assert caught.value.pointer == f"/{member}"


def test_sysctls_of_the_containers_namespaces_are_taken() -> None:
    found = linux(
        sysctl={
            "net.ipv4.ip_forward": "1",
            "net/ipv4/conf/eth0.1/forwarding": "1",
            "kernel.shmmax": "1",
            "fs.mqueue.msg_max": "1",
        }
    ).sysctls
    assert set(found) == {
        "net/ipv4/ip_forward", "net/ipv4/conf/eth0.1/forwarding", "kernel/shmmax",
        "fs/mqueue/msg_max",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["kernel.hostname", "kernel.panic", "vm.swappiness", "net/../kernel/panic", "fs.file-max",
     "user.max_user_namespaces", "net", "fs.mqueue"],
)  # fmt: skip
def test_a_sysctl_of_the_whole_host_is_refused(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        linux(sysctl={name: "1"})
    assert caught.value.pointer.startswith("/linux/sysctl/")


def test_a_sysctl_of_a_shared_namespace_is_refused() -> None:
    with pytest.raises(ConfigError, match="not allowed in the net namespace"):
        linux(namespaces=[{"type": "uts"}], sysctl={"net.core.somaxconn": "1"})


@pytest.mark.parametrize("wrong", [{"domain": "BSD"}, {"domain": "LINUX", "flags": ["X"]}])
def test_a_personality_that_there_is_not(wrong: dict[str, Json]) -> None:
    with pytest.raises(ConfigError, match="/linux/personality"):
        linux(personality=wrong)


@pytest.mark.parametrize("timeout", [0, -1])
def test_the_timeout_of_a_hook_is_some_time(timeout: int) -> None:
    hooks = {"poststop": [{"path": "/bin/true", "timeout": timeout}]}
    with pytest.raises(ConfigError) as caught:
        Spec({"process": {"args": ["true"]}, "hooks": hooks})
    assert caught.value.pointer == "/hooks/poststop/0/timeout"
