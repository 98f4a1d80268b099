"""Names and choices of capabilities."""

from __future__ import annotations

import pytest

from minirt.errors import ConfigError
from minirt.linux import caps


def test_the_default_is_the_set_that_docker_containers_show() -> None:
    assert caps.mask(caps.DEFAULT) == 0x00000000A80425FB


def test_numbers_are_those_of_the_kernel() -> None:
    numbers = {"CAP_CHOWN": 0, "CAP_SYS_ADMIN": 21, "CAP_SYSLOG": 34}
    numbers["CAP_CHECKPOINT_RESTORE"] = 40
    assert {name: caps.NAMES.index(name) for name in numbers} == numbers
    assert len(caps.NAMES) == 41


def test_a_mask_and_its_names_are_the_same_set() -> None:
    assert caps.names(caps.mask(caps.NAMES)) == caps.NAMES
    assert caps.names(0) == ()


@pytest.mark.parametrize("spelling", ["net_admin", "NET_ADMIN", "CAP_NET_ADMIN", "cap_net_admin"])
def test_every_spelling_of_a_name_is_understood(spelling: str) -> None:
    assert caps.parse(spelling, "--cap-add") == "CAP_NET_ADMIN"


def test_an_unknown_name_is_an_error_with_the_option_and_the_nearest_names() -> None:
    with pytest.raises(ConfigError, match='--cap-add: "net_admn" is not a capability') as caught:
        caps.kept(["net_admn"], [])
    assert "CAP_NET_ADMIN" in caught.value.hint


def test_an_unknown_name_without_a_near_one_points_to_the_manual() -> None:
    with pytest.raises(ConfigError) as caught:
        caps.kept([], ["xyzzy"])
    assert caught.value.pointer == "--cap-drop"
    assert "capabilities(7)" in caught.value.hint


def test_nothing_asked_is_the_default() -> None:
    assert set(caps.kept([], [])) == set(caps.DEFAULT)


def test_adding_and_dropping_start_from_the_default() -> None:
    kept = caps.kept(["net_admin"], ["mknod", "CAP_KILL"])
    assert set(kept) == set(caps.DEFAULT) - {"CAP_MKNOD", "CAP_KILL"} | {"CAP_NET_ADMIN"}


def test_all_may_be_added_or_dropped() -> None:
    assert caps.kept(["all"], []) == caps.NAMES
    assert "CAP_MKNOD" not in caps.kept(["ALL"], ["mknod"])
    assert caps.kept([], ["ALL"]) == ()
    assert caps.kept(["kill"], ["ALL"]) == ("CAP_KILL",)


def test_all_cannot_be_added_and_dropped() -> None:
    with pytest.raises(ConfigError, match="--cap-drop"):
        caps.kept(["ALL"], ["ALL"])


def test_what_was_asked_by_name_is_not_what_all_brings() -> None:
    assert caps.asked(["ALL", "net_admin"]) == ("CAP_NET_ADMIN",)


def test_setpriv_takes_a_set_as_a_list_of_changes() -> None:
    assert caps.setpriv(("CAP_CHOWN", "CAP_KILL")) == "-all,+chown,+kill"
