"""Programs of the host, and signals by their names."""

from __future__ import annotations

import pytest

from minirt.linux import command
from minirt.linux.process import signal_number


def test_a_time_longer_than_poll_can_wait_is_taken() -> None:
    assert command.run(["/bin/echo", "done"], timeout=1 << 40) == "done\n"


@pytest.mark.parametrize("text", ["²", "9" * 5000, "65", "FUN", "RTMIN+²", f"RTMIN+{'9' * 5000}"])
def test_what_is_no_signal_is_none(text: str) -> None:
    assert signal_number(text) == -1


@pytest.mark.parametrize(
    ("text", "number"), [("9", 9), ("KILL", 9), ("sigterm", 15), ("RTMIN+2", 36), ("RTMAX-1", 63)]
)
def test_a_signal_has_a_number_or_a_name(text: str, number: int) -> None:
    assert signal_number(text) == number
