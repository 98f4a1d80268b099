"""Many containers at once, root's and an ordinary user's: none meets another's half-made things."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from network_world import PYTHON, Namespace
from ordinary import Ordinary
from steps import state_root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USER = 65534
EACH = 5
REMOVE_ALL = (
    "from minirt.linux.command import run; from minirt.networks.network import *; remove_all(run)"
)
STEP = ("-m", "minirt.step6", "--quiet")
# All are alive at once: each ends when its input does, which is after all have said their name.
SCRIPT = ("--", "/bin/sh", "-c", "uname -n; read line; cat /etc/hostname")


@pytest.fixture
def host(playground: Path) -> Iterator[Namespace]:
    """A network namespace of the test's own, in which root's containers get their bridge."""
    made = Namespace()
    yield made
    made.run(*PYTHON, "-c", REMOVE_ALL)
    links = [line.split()[1] for line in made.run("ip", "-o", "link").splitlines()]
    made.close()
    assert links == ["lo:"]


@pytest.fixture
def user(playground: Path) -> Ordinary:
    directory = playground / "ordinary"
    directory.mkdir(mode=0o755, exist_ok=True)
    made = Ordinary(directory, USER)
    assert made.run("-I", "-m", "minirt.images").returncode == 0
    return made


def bridged(host: Namespace, name: str) -> subprocess.Popen[str]:
    return host.start(*PYTHON, *STEP, "--network", "bridge", "--hostname", name, *SCRIPT)


def unprivileged(user: Ordinary, name: str) -> subprocess.Popen[str]:
    how = user.how()
    how.pop("capture_output")
    return subprocess.Popen(
        [str(user.python), "-I", *STEP, "--hostname", name, *SCRIPT],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, **how,
    )  # fmt: skip


def test_ten_containers_at_once_run_apart_and_leave_nothing(
    host: Namespace, user: Ordinary
) -> None:
    started: dict[str, subprocess.Popen[str]] = {}
    for number in range(EACH):
        started[f"root{number}"] = bridged(host, f"root{number}")
        started[f"user{number}"] = unprivileged(user, f"user{number}")
    first = {name: process.stdout.readline() for name, process in started.items()}
    cables = host.shell("ip -o link show master minirt0").splitlines()
    said = {name: process.communicate(timeout=60)[0] for name, process in started.items()}
    assert first == said == {name: f"{name}\n" for name in started}
    assert {process.returncode for process in started.values()} == {0}
    assert len(cables) == EACH
    for state in (state_root(), user.home / ".local/share/minirt"):
        assert os.listdir(state / "containers") == []
    assert host.shell("ip -o link show master minirt0") == ""
