"""`linux.seccomp` outside the rules: flags, and the listener."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from minirt import plan
from minirt.errors import ConfigError
from minirt.spec import Spec

if TYPE_CHECKING:
    from minirt.codec import Json

NOTIFYING: Json = [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]


def spec(**members: Json) -> Spec:
    seccomp: Json = {"defaultAction": "SCMP_ACT_ALLOW", **members}
    return Spec({"process": {"args": ["true"]}, "linux": {"seccomp": seccomp}})


def names(made: Spec) -> list[str]:
    return [mechanism.name for mechanism in plan.build(made)]


def test_flags_are_those_of_the_kernel() -> None:
    flags: Json = [f"SECCOMP_FILTER_FLAG_{name}" for name in ("LOG", "SPEC_ALLOW", "TSYNC")]
    assert spec(flags=flags).seccomp_flags == 2 | 4 | 1
    assert spec().seccomp_flags == 0


def test_a_listener_is_there_for_those_that_ask() -> None:
    made = spec(syscalls=NOTIFYING, listenerPath="/run/agent", listenerMetadata="m")
    assert made.seccomp_listener == ("/run/agent", "m")
    assert names(made)[-1] == "seccomp_notify"
    assert "seccomp" not in names(made)


def test_a_listener_that_nothing_is_asked_of_is_ignored() -> None:
    made = spec(listenerPath="/run/agent")
    assert made.seccomp_listener is None
    assert names(made)[-1] == "seccomp"


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"flags": ["SECCOMP_FILTER_FLAG_NEW_LISTENER"]}, "/linux/seccomp/flags/0"),
        ({"syscalls": NOTIFYING}, "/linux/seccomp/listenerPath"),
        ({"defaultAction": "SCMP_ACT_NOTIFY"}, "/linux/seccomp/listenerPath"),
        ({"listenerMetadata": "m"}, "/linux/seccomp/listenerMetadata"),
        ({"listenerPath": 3}, "/linux/seccomp/listenerPath"),
    ],
)
def test_what_is_wrong_is_pointed_at(members: dict[str, Json], pointer: str) -> None:
    with pytest.raises(ConfigError) as caught:
        spec(**members)
    assert caught.value.pointer == pointer
