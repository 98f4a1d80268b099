"""Every console block of the lessons and documents prints what its page says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import compare
import console
import pytest

if TYPE_CHECKING:
    from pathlib import Path

BLOCKS = [block for page in console.RUN for block in console.blocks(page)]


@pytest.mark.usefixtures("leaves_nothing")
@pytest.mark.parametrize("block", [b for b in BLOCKS if console.applies(b)], ids=str)
def test_a_console_block_prints_what_its_page_says(block: console.Block) -> None:
    if differences := compare.differences(block, console.run(block)):
        pytest.fail("\n\n".join(differences), pytrace=False)


@pytest.mark.parametrize("page", console.RUN, ids=lambda page: page.stem)
def test_no_shell_example_is_outside_a_console_block(page: Path) -> None:
    """What looks like a command to type is in a block that is run."""
    covered = {n for block in console.blocks(page) for n in range(block.first, block.last + 1)}
    lines = page.read_text(encoding="utf-8").splitlines()
    loose = [line for n, line in enumerate(lines) if line.lstrip().startswith("$ ")]
    inside = [line for n, line in enumerate(lines) if n in covered and line.lstrip()[:2] == "$ "]
    assert loose == inside


def test_a_wrong_output_is_noticed() -> None:
    names = compare.Names(["pid"])
    assert names.normal(["uid 4711", "uid 4712"]) != compare.Names(["pid"]).normal(
        ["uid 9", "uid 9"]
    )


def test_numbers_may_differ_but_the_same_one_stays_the_same() -> None:
    then, now = compare.Names(["inode"]), compare.Names(["inode"])
    assert then.normal(["uts:[111]", "uts:[222]"]) == now.normal(["uts:[333]", "uts:[444]"])
    then, now = compare.Names(["inode"]), compare.Names(["inode"])
    assert then.normal(["uts:[111]", "uts:[222]"]) != now.normal(["uts:[333]", "uts:[333]"])


def test_a_waterfall_is_compared_by_its_spans() -> None:
    page = ["├─ uts.enter  container  41.7 µs        ▓"]
    other = ["├─ uts.enter  container  7.2 ms  ▓▓▓▓"]
    wrong = ["├─ pid.enter  container  41.7 µs        ▓"]
    assert compare.Names(["waterfall"]).normal(page) == compare.Names(["waterfall"]).normal(other)
    assert compare.Names(["waterfall"]).normal(page) != compare.Names(["waterfall"]).normal(wrong)
