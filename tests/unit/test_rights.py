"""What the mechanisms of step 6 say of themselves, and what they refuse before anything is made."""

from __future__ import annotations

import pytest

from minirt.errors import ConfigError
from minirt.linux import caps
from minirt.linux.rlimits import INFINITY
from minirt.mechanisms.bounding_set import BoundingSet
from minirt.mechanisms.capabilities import Capabilities
from minirt.mechanisms.identity import Identity
from minirt.mechanisms.no_new_privs import NoNewPrivs
from minirt.mechanisms.rlimits import Rlimits
from minirt.mechanisms.seccomp import Seccomp
from minirt.mechanisms.user import User, lines

MAPS = ((0, 100_000, 65_536),)
TWO = ("CAP_CHOWN", "CAP_NET_RAW")


def not_compiled() -> bytes:
    pytest.fail("a description needs no compiled program")


@pytest.mark.parametrize(
    ("mechanism", "said"),
    [
        (User(MAPS, MAPS), "root inside is user 100000 outside"),
        (User((), ()), "root inside is another user outside"),
        (BoundingSet(TWO), "2 of 41 capabilities within reach"),
        (Identity(5, 6, (7, 8), 0o27), "user 5, group 6, groups 7, 8, umask 0027"),
        (Capabilities(TWO, TWO, TWO), "capabilities: chown, net_raw"),
        (Capabilities((), (), ()), "capabilities: none"),
        (Rlimits((("RLIMIT_CORE", 0, 9),)), "core 0:9"),
        (NoNewPrivs(), "set-user-ID programs"),
        (Seccomp(not_compiled), "the default profile"),
    ],
)
def test_describe_says_in_one_line_what_is_special(mechanism: User, said: str) -> None:
    assert said in mechanism.describe()
    assert "\n" not in mechanism.describe()


def test_a_map_is_one_text_as_the_kernel_wants_it() -> None:
    assert lines(((0, 100, 5), (5, 200, 10))) == "0 100 5\n5 200 10"


def test_an_unknown_capability_is_refused_before_anything_is_made() -> None:
    with pytest.raises(ConfigError, match="CAP_EVERYTHING"):
        BoundingSet(("CAP_EVERYTHING",))


def test_an_unknown_limit_is_refused_with_the_names_that_exist() -> None:
    with pytest.raises(ConfigError, match="RLIMIT_FUN") as caught:
        Rlimits((("RLIMIT_FUN", 1, 1),))
    assert "RLIMIT_NOFILE" in caught.value.hint


@pytest.mark.parametrize(("soft", "hard"), [(2, 1), (-1, 1), (0, INFINITY + 1)])
def test_a_limit_out_of_range_is_refused(soft: int, hard: int) -> None:
    with pytest.raises(ConfigError, match="RLIMIT_CORE"):
        Rlimits((("RLIMIT_CORE", soft, hard),))


def test_a_limit_may_be_unlimited() -> None:
    assert (
        "core=unlimited:unlimited" in Rlimits((("RLIMIT_CORE", INFINITY, INFINITY),)).by_hand()[0]
    )


def test_by_hand_names_every_capability_that_is_kept() -> None:
    (line,) = BoundingSet(caps.DEFAULT).by_hand()
    assert line.count("+") == len(caps.DEFAULT)
