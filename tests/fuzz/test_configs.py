"""Any configuration becomes a plan or an error that names a member: never anything else.

3 000 configurations; MINIRT_FUZZ=34 makes them more than 100 000.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import mutated
from hypothesis import given
from hypothesis import strategies as st

from minirt import plan
from minirt.errors import ConfigError
from minirt.seccomp.compiler import compile_profile
from minirt.spec import Spec

if TYPE_CHECKING:
    from typing import Any


def becomes_a_plan(document: dict[str, Any]) -> bool:
    """Whether it does; a refusal must say where it is wrong."""
    try:
        return all(mechanism.describe() for mechanism in plan.build(Spec(document)))
    except ConfigError as refusal:
        error = refusal
    assert error.what
    assert error.pointer.startswith("/"), error
    return False


def test_the_configurations_themselves_become_plans() -> None:
    assert all(becomes_a_plan(document) for document in mutated.BASES)


@mutated.often(3000)
@given(mutated.documents())
def test_a_changed_configuration_is_taken_or_refused(document: dict[str, Any]) -> None:
    becomes_a_plan(document)


json = st.recursive(
    mutated.values, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@mutated.often(150)
@given(st.dictionaries(st.sampled_from(["process", "linux", "mounts", "root", "hooks"]), json))
def test_any_json_is_taken_or_refused(document: dict[str, Any]) -> None:
    becomes_a_plan(document)


PROFILE = {
    "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "architectures": ["SCMP_ARCH_X86"],
    "syscalls": [
        {"names": ["read", "clone"], "action": "SCMP_ACT_ALLOW",
         "args": [{"index": 0, "value": 1, "valueTwo": 2, "op": "SCMP_CMP_MASKED_EQ"}]},
        {"names": ["mount"], "action": "SCMP_ACT_TRACE", "errnoRet": 3},
    ],
}  # fmt: skip


@mutated.often(200)
@given(mutated.documents([PROFILE]))
def test_a_changed_profile_is_compiled_or_refused(document: dict[str, Any]) -> None:
    pointer = "/linux/seccomp"
    try:
        compile_profile(document)
    except ConfigError as refusal:
        pointer = refusal.pointer
    assert pointer.startswith("/linux/seccomp")
