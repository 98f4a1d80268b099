"""The command line of the steps."""

from __future__ import annotations

import itertools

import pytest

from minirt.errors import ConfigError
from minirt.stepping.options import OPTIONS
from minirt.stepping.parser import Option, parse, usage

SOME = (
    Option("--name", "NAME", "a value"),
    Option("--many", "ITEM", "several values", many=True),
    Option("--switch", "", "no value"),
    Option("--late", "X", "comes with step 3", since=3),
)


def complaint(*arguments: str, step: int = 9) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse(arguments, SOME, step)
    return caught.value


def test_values_come_after_a_space_or_an_equals_sign() -> None:
    for arguments in (["--name", "a=b c"], ["--name=a=b c"]):
        assert parse(arguments, SOME, 1).text("--name") == "a=b c"
    assert parse(["--name="], SOME, 1).text("--name", "default") == ""


def test_what_was_not_given_is_the_default() -> None:
    values = parse([], SOME, 1)
    assert values.text("--name", "default") == "default"
    assert values.texts("--many") == []
    assert not values.on("--switch")


def test_options_end_at_the_command() -> None:
    values = parse(["--switch", "sh", "-c", "--name", "--"], SOME, 1)
    assert values.command == ["sh", "-c", "--name", "--"]
    assert not values.on("--name")


def test_two_dashes_end_the_options_and_are_not_the_command() -> None:
    assert parse(["--", "--switch"], SOME, 1).command == ["--switch"]
    assert parse(["--", "--", "x"], SOME, 1).command == ["--", "x"]
    assert parse(["-"], SOME, 1).command == ["-"]


def test_only_some_options_may_be_given_twice() -> None:
    assert parse(["--many", "a", "--many=b"], SOME, 1).texts("--many") == ["a", "b"]
    assert str(complaint("--name", "a", "--name", "b")) == "--name: was given twice"


def test_a_missing_or_superfluous_value_is_named() -> None:
    assert str(complaint("--name")) == "--name: needs a value: --name NAME"
    assert str(complaint("--switch=on")) == "--switch: takes no value"


def test_an_unknown_option_is_named_with_the_nearest() -> None:
    error = complaint("--nmae", "x")
    assert (error.pointer, error.hint) == ("--nmae", "did you mean --name?")
    assert complaint("--xyz").hint == "see --help"
    assert complaint("--lat", step=2).hint == "see --help"
    assert complaint("--lat", step=3).hint == "did you mean --late?"


def test_two_dashes_make_no_options_alike() -> None:
    with pytest.raises(ConfigError) as caught:
        parse(["--bogus"], OPTIONS, 7)
    assert caught.value.hint == "see --help"


def test_an_option_of_a_later_step_says_which() -> None:
    error = complaint("--late", "x", step=2)
    assert str(error) == "--late: is not an option of step 2"
    assert "minirt.step3" in error.hint
    assert parse(["--late", "x"], SOME, 3).text("--late") == "x"


def test_help_may_be_short() -> None:
    assert parse(["-h"], OPTIONS, 1).on("--help")


def test_the_newest_options_are_listed_first() -> None:
    lines = usage(SOME, 3).splitlines()
    assert [line.split()[0] for line in lines] == ["--late", "--name", "--many", "--switch"]
    assert lines[2].endswith("(repeatable)")
    assert "--late" not in usage(SOME, 2)


def test_every_step_has_the_options_of_those_before_it() -> None:
    listed = [usage(OPTIONS, step).splitlines() for step in range(1, 8)]
    for former, latter in itertools.pairwise(listed):
        names = {line.split()[0] for line in former}
        assert names <= {line.split()[0] for line in latter}
