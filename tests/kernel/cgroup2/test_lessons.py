"""What the lessons say of cgroup version 2 is what this kernel, which has no other, does."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from minirt.host import cache
from minirt.images import build

if TYPE_CHECKING:
    from collections.abc import Iterator

sys.path.insert(0, str(Path(__file__).parents[2] / "lessons"))
import compare
import console

MEMORY = "/var/tmp"  # a tmpfs in the guest
BLOCKS = [b for page in console.PAGES for b in console.blocks(page) if b.has("cgroup2")]


@pytest.fixture(autouse=True, scope="module")
def _own_image() -> Iterator[None]:
    """An image in memory: overlayfs takes no layer from User Mode Linux' view of the host."""
    home = Path(tempfile.mkdtemp(dir=MEMORY))
    home.chmod(0o755)
    for part in Path(cache.directory(), "debs").glob("busybox-static*"):
        copy = home / "minirt" / "debs" / part.name
        if part.is_symlink():
            copy.symlink_to(part.readlink())
        else:
            shutil.copytree(part, copy, symlinks=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(home))
        patch.setattr(tempfile, "tempdir", MEMORY)
        build.ensure()
        yield
    shutil.rmtree(home)


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_console_block_prints_what_its_page_says(block: console.Block) -> None:
    if differences := compare.differences(block, console.run(block)):
        pytest.fail("\n\n".join(differences), pytrace=False)
