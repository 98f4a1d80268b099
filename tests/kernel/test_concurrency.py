"""Many containers at once, of two users, on one host."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from moments import Host, host
from ordinary import Ordinary
from steps import Running, run, state_root

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["host"]  # a fixture
USER = 65534
EACH = 5
SCRIPT = """
    echo ready; read line
    [ "$(hostname)" = "$1" ] && [ $$ = 1 ] && touch /mine && ls -d /mine && echo "$(ls /mine*)"
    exit 7"""


@pytest.fixture(scope="module")
def user(playground: Path) -> Ordinary:
    directory = playground / "second"
    directory.mkdir(mode=0o755)
    made = Ordinary(directory, USER)
    made.run("-I", "-m", "minirt.images")
    return made


def of_the_user(user: Ordinary, name: str) -> subprocess.Popen[str]:
    how = {**user.how(MINIRT_STATE=f"{user.home}/state"), "stdin": subprocess.PIPE}
    how.pop("capture_output")
    words = ["-I", "-m", "minirt.step6", "--quiet", "--hostname", name]
    argv = [str(user.python), "-B", *words, "--", "/bin/sh", "-c", SCRIPT, "sh", name]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how)


def of_root(host: Host, name: str) -> subprocess.Popen[str]:
    argv = host.step_6("--hostname", name, "--", "/bin/sh", "-c", SCRIPT, "sh", name)
    pipe = subprocess.PIPE
    return subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def test_ten_of_two_users_work_at_once_and_leave_nothing(host: Host, user: Ordinary) -> None:
    """All are started before any is waited for, and all run before any may end."""
    started = [of_root(host, f"root{number}") for number in range(EACH)]
    started += [of_the_user(user, f"user{number}") for number in range(EACH)]
    assert [process.stdout.readline() for process in started] == ["ready\n"] * 2 * EACH
    addresses = [endpoint["address"] for endpoint in host.register_of_the_bridge().values()]
    assert len(set(addresses)) == EACH
    for process in started:
        assert process.communicate("go\n") == ("/mine\n/mine\n", "")
        assert process.returncode == 7
    assert host.left() == []
    assert os.listdir(f"{user.home}/state/containers") == []


def test_collecting_beside_starting_ones_breaks_none() -> None:
    """Every start collects what was abandoned; what another is just making is not."""
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: run(1, "--", "true"), range(48)))
    assert {(each.returncode, each.stderr) for each in done} == {(0, "")}


def test_one_that_is_removed_does_not_disturb_another() -> None:
    with Running(3) as first:
        with Running(3) as second:
            second.process.kill()
            second.process.wait()
        assert run(3, "--", "true").returncode == 0
        assert len(os.listdir(state_root() / "containers")) == 1
        assert first.end() == 0
