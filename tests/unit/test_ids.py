"""The maps of a new user namespace."""

from __future__ import annotations

from minirt.ids import user_maps

SUBUID = "alice:100000:65536\nroot:200000:65536\nminirt:300000:1000\n"


def test_an_ordinary_user_maps_only_themselves() -> None:
    assert user_maps(1000, 2000, subuid=SUBUID) == (((0, 1000, 1),), ((0, 2000, 1),))


def test_root_maps_a_range_that_belongs_to_nobody() -> None:
    assert user_maps(0, 0) == (((0, 100_000, 65_536),), ((0, 100_000, 65_536),))


def test_a_range_that_somebody_has_is_not_taken() -> None:
    assert user_maps(0, 0, subuid="alice:100000:65536\nbob:165536:65536")[0] == (
        (0, 231_072, 65_536),
    )


def test_a_delegated_range_is_used_and_minirts_own_before_roots() -> None:
    uid_maps, gid_maps = user_maps(0, 0, subuid=SUBUID, subgid="root:5:10\n")
    assert uid_maps == ((0, 300_000, 1000),)
    assert gid_maps == ((0, 5, 10),)


def test_what_is_no_range_is_passed_over() -> None:
    table = "\n# minirt:1:2\nminirt\nminirt:x:y\nminirt:7:0\nroot:9:1"
    assert user_maps(0, 0, subuid=table)[0] == ((0, 9, 1),)
