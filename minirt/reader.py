"""Read a JSON document with a JSON pointer (RFC 6901) in every complaint."""

from __future__ import annotations

import os

from minirt.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from minirt.codec import Json

NAMES = {str: "a string", int: "a whole number", bool: "true or false", list: "a list"}


class Reader:
    """One object of a document; absent members give the default, wrong ones ConfigError."""

    __slots__ = ("pointer", "value")

    def __init__(self, value: Mapping[str, Json], pointer: str = "") -> None:
        self.value = value
        self.pointer = pointer

    def where(self, name: str) -> str:
        return f"{self.pointer}/{name.replace('~', '~0').replace('/', '~1')}"

    def wrong(self, name: str, wanted: str) -> ConfigError:
        got = self.value.get(name)
        kind = "nothing" if got is None else type(got).__name__
        return ConfigError(f"must be {wanted}, not {kind}", pointer=self.where(name))

    def text(self, name: str, default: str = "") -> str:
        value = self.value.get(name)
        if value is None:
            return default
        if not isinstance(value, str):
            raise self.wrong(name, "a string")
        if not _sound(value):
            what = "must be a string without null characters and halves of characters"
            raise ConfigError(what, pointer=self.where(name))
        return value

    def number(self, name: str, default: int = 0) -> int:
        value = self.value.get(name)
        if value is None:
            return default
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.wrong(name, "a whole number")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.value.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.wrong(name, "true or false")
        return value

    def items(self, name: str) -> Sequence[Json]:
        value = self.value.get(name)
        if value is None:
            return ()
        if not isinstance(value, (list, tuple)):
            raise self.wrong(name, "a list")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings."""
        found = []
        for index, item in enumerate(self.items(name)):
            if not isinstance(item, str) or not _sound(item):
                pointer = f"{self.where(name)}/{index}"
                what = "must be a string without null characters and halves of characters"
                raise ConfigError(what, pointer=pointer)
            found.append(item)
        return tuple(found)

    def object(self, name: str) -> Reader:
        """A member object; an absent one reads as empty."""
        value = self.value.get(name)
        if value is None:
            value = {}
        if not isinstance(value, dict):
            raise self.wrong(name, "an object")
        return Reader(value, self.where(name))

    def objects(self, name: str) -> Iterator[Reader]:
        """A list of objects."""
        for index, item in enumerate(self.items(name)):
            pointer = f"{self.where(name)}/{index}"
            if not isinstance(item, dict):
                raise ConfigError("must be an object", pointer=pointer)
            yield Reader(item, pointer)


def _sound(text: str) -> bool:
    """Whether the kernel could be told it: JSON can write half of a UTF-16 pair (RFC 8259, 8.2).

    Some halves are Python's names for bytes that are no UTF-8: those a command may have.
    """
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False
