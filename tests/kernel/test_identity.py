"""Who the command runs as, from outside."""

from __future__ import annotations

import pytest
from confined import confined

from minirt.errors import KernelError
from minirt.mechanisms.identity import Identity
from minirt.mechanisms.user import User

MAPS = ((0, 100_000, 1000),)


def test_ids_groups_and_umask_are_exactly_what_was_asked() -> None:
    with confined(Identity(1000, 2000, (3000, 4000), 0o077)) as process:
        assert process.status("Uid").split() == ["1000"] * 4
        assert process.status("Gid").split() == ["2000"] * 4
        assert process.status("Groups").split() == ["3000", "4000"]
        assert process.status("Umask") == "0077"


def test_no_supplementary_group_of_the_caller_is_left() -> None:
    with confined(Identity(0, 0, (), 0o022)) as process:
        assert process.status("Groups") == ""


def test_a_user_that_the_namespace_does_not_map_is_named() -> None:
    plan = (User(MAPS, MAPS), Identity(1000, 0, (), 0o022))
    with pytest.raises(KernelError, match="user 1000") as caught, confined(*plan):
        pass
    assert caught.value.call_line().startswith("setresuid(1000, 1000, 1000) = EINVAL")
