"""Every complaint about a document names the place, as a JSON pointer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from minirt.errors import ConfigError
from minirt.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable

DOCUMENT = {
    "text": "hello",
    "number": 7,
    "flag": True,
    "list": ["a", "b"],
    "object": {"a/b~c": {"deep": 1}},
    "objects": [{"name": "first"}, {"name": 2}],
    "mixed": ["a", 1],
    "null": None,
    "zero": "nul\0",
}
READER = Reader(DOCUMENT)


def complaint(read: Callable[[], object]) -> str:
    with pytest.raises(ConfigError) as caught:
        read()
    return str(caught.value)


def test_it_reads_what_is_there() -> None:
    assert READER.text("text") == "hello"
    assert READER.number("number") == 7
    assert READER.flag("flag") is True
    assert READER.texts("list") == ("a", "b")
    assert READER.object("object").object("a/b~c").number("deep") == 1
    assert next(iter(READER.objects("objects"))).text("name") == "first"


@pytest.mark.parametrize("name", ["absent", "null"])
def test_what_is_absent_or_null_is_the_default(name: str) -> None:
    assert READER.text(name, "x") == "x"
    assert READER.number(name, 3) == 3
    assert READER.flag(name, default=True) is True
    assert READER.texts(name) == ()
    assert READER.object(name).value == {}
    assert list(READER.objects(name)) == []


def test_a_wrong_kind_is_named_with_its_place() -> None:
    assert complaint(lambda: READER.text("number")) == "/number: must be a string, not int"
    assert complaint(lambda: READER.number("text")).startswith("/text: must be a whole number")
    assert complaint(lambda: READER.flag("text")).startswith("/text: must be true or false")
    assert complaint(lambda: READER.texts("text")).startswith("/text: must be a list")
    assert complaint(lambda: READER.object("list")).startswith("/list: must be an object")
    assert complaint(lambda: READER.texts("mixed")).startswith("/mixed/1: must be a string")
    assert complaint(lambda: list(READER.objects("list"))).startswith("/list/0: must be an object")


def test_a_truth_value_is_no_number() -> None:
    assert complaint(lambda: READER.number("flag")).startswith("/flag: must be a whole number")


def test_a_null_character_is_refused() -> None:
    """The kernel would see the text end there."""
    assert "null character" in complaint(lambda: READER.text("zero"))
    assert "null character" in complaint(lambda: Reader({"x": ["a\0"]}).texts("x"))


def test_names_are_escaped_in_pointers() -> None:
    deep = READER.object("object").object("a/b~c")
    assert complaint(lambda: deep.text("deep")).startswith("/object/a~1b~0c/deep: ")


def test_a_place_in_a_list_has_its_number() -> None:
    second = list(READER.objects("objects"))[1]
    assert complaint(lambda: second.text("name")).startswith("/objects/1/name: ")


def test_a_string_is_what_the_kernel_can_be_told() -> None:
    """A byte that is no UTF-8 has a name in Python; half of a UTF-16 pair is nothing."""
    assert Reader({"a": "\udcff"}).text("a") == "\udcff"
    for wrong in ("\ud800", "a\0b"):
        with pytest.raises(ConfigError, match="must be a string without"):
            Reader({"a": wrong}).text("a")
