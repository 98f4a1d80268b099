"""Numbers that must lie between two others."""

from __future__ import annotations

from minirt.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.reader import Reader

    Settings = list[tuple[str, str]]

UNLIMITED = -1
MOST = (1 << 63) - 1
MOST_UNSIGNED = (1 << 64) - 1


def within(reader: Reader, name: str, low: int, high: int = MOST) -> int:
    """The member `name`; 0, which engines write for "leave it alone", is always right."""
    value = reader.number(name)
    if value and not low <= value <= high:
        raise ConfigError(f"{value} is not between {low} and {high}", pointer=reader.where(name))
    return value
