"""Engines in a world of their own, told of minirt-oci by `minirt oci install --write`."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import world
from engine import IMAGE

sys.path.append(str(Path(__file__).parent.parent / "kernel"))
import leaks

from minirt.host import packages
from minirt.images import build, store

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent
# What goes with our network namespace, and what others have in the machine's state meanwhile.
NOT_OURS = re.compile(rf"link |nft |file {leaks.STATE}|cgroup /sys/fs/cgroup/[^/]+/minirt\b")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run what takes minutes, too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--slow"):
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip("not run: slow; `make test-engines` runs it"))


def end_all() -> None:
    """Kill whatever runs yet of what the tests started."""
    while pids := leaks.descendants():
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        os.waitpid(-1, 0)  # its children are ours now


@pytest.fixture(scope="session", autouse=True)
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory in memory, in namespaces that the tests have for themselves."""
    if os.geteuid() != 0:
        pytest.fail("engines run as root: run these tests as root")
    if missing := packages.missing(["engines"]):
        names = " ".join(need.package for need in missing)
        pytest.fail(f"missing: {names}; `make test-engines` installs them")
    build.ensure()  # the image is the machine's, not ours
    leaks.adopt_orphans()
    made = tmp_path_factory.mktemp("engines")
    world.enter(made)
    yield made
    end_all()  # after a failure; otherwise there are none
    world.remove_parents()


@pytest.fixture(scope="session", autouse=True)
def launcher(scratch: Path) -> str:
    """Where minirt-oci is; every engine has been told."""
    target = scratch / "minirt-oci"
    os.environ["MINIRT_STATE"] = str(scratch / "state")
    command = ("minirt", "oci", "install", "--write", "--to", str(target))
    subprocess.run([sys.executable, "-m", *command], check=True, cwd=ROOT, stdout=sys.stderr)
    subprocess.run([target, "--version"], check=True, stdout=sys.stderr)  # mounts what it runs from
    return str(target)


@pytest.fixture(scope="session")
def archive(scratch: Path) -> Path:
    """The embedded image as engines import it, by skopeo, which checks every digest."""
    found = scratch / "image.tar"
    source, target = f"oci:{store.directory()}:{build.EMBEDDED}", f"docker-archive:{found}:{IMAGE}"
    subprocess.run(["skopeo", "copy", "--quiet", source, target], check=True)
    return found


@pytest.fixture(scope="module", autouse=True)
def _leaves_nothing(launcher: str) -> Iterator[None]:
    """What an engine and its containers made is gone when it is; a bridge goes with our world."""
    world.remove_parents()
    before = leaks.snapshot()
    yield
    world.remove_parents()
    found = [one for one in leaks.left(before) if not NOT_OURS.match(one)]
    assert not found, f"left behind: {found}"
