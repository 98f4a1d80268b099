"""What the lessons say of cgroup version 2 is what this kernel, which has no other, does."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from minirt.images import build

if TYPE_CHECKING:
    from collections.abc import Iterator

sys.path.insert(0, str(Path(__file__).parents[2] / "lessons"))
import compare
import console

MEMORY = "/var/tmp"  # a tmpfs in the guest
BLOCKS = [b for page in console.PAGES for b in console.blocks(page) if b.has("cgroup2")]


@pytest.fixture(autouse=True, scope="module")
def _image() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", MEMORY)
        build.ensure()
        yield


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_console_block_prints_what_its_page_says(block: console.Block) -> None:
    if differences := compare.differences(block, console.run(block)):
        pytest.fail("\n\n".join(differences), pytrace=False)
