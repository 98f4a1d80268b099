"""Any document becomes a plan or an error that names a member: never anything else.

5 000 changed configurations; MINIRT_FUZZ=20 makes them 100 000.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import mutated
import pytest
import surface
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from typing import Any

pytestmark = pytest.mark.timeout(3600)  # as many as MINIRT_FUZZ wants
PARTS = ("process", "linux", "mounts", "root", "hooks", "annotations", "minirt")


def test_the_configurations_themselves_become_plans() -> None:
    assert all(surface.taken(surface.create, document) for document in mutated.BASES)


@mutated.often(5000)
@given(mutated.documents())
def test_a_changed_configuration_is_taken_or_refused(document: dict[str, Any]) -> None:
    surface.taken(surface.create, document)


json = st.recursive(
    mutated.values, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@mutated.often(150)
@given(st.dictionaries(st.sampled_from(PARTS), json))
def test_any_json_is_taken_or_refused(document: dict[str, Any]) -> None:
    surface.taken(surface.create, document)


@mutated.often(500)
@given(mutated.documents([mutated.EVERYTHING["process"]]))
def test_a_changed_process_of_exec_is_taken_or_refused(process: dict[str, Any]) -> None:
    surface.taken(surface.execute, process)


@mutated.often(500)
@given(mutated.documents([mutated.EVERYTHING["linux"]["resources"]]))
def test_changed_limits_of_update_are_taken_or_refused(resources: dict[str, Any]) -> None:
    surface.taken(surface.update, resources)


@mutated.often(200)
@given(mutated.documents([mutated.EVERYTHING["linux"]["seccomp"]]))
def test_a_changed_profile_is_compiled_or_refused(profile: dict[str, Any]) -> None:
    surface.taken(surface.compile_filter, profile)
