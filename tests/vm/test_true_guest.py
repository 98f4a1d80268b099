"""The harness with a true guest, whichever this machine can have."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
HARNESS = [sys.executable, "-m", "vm.harness", "-s"]
TESTS = """
import os, time

def test_it_is_another_kernel():
    assert os.uname().release != {release!r}

def test_what_it_writes_stays_in_the_guest():
    open("/written-in-a-guest", "w").close()

def test_it_fails():
    assert os.getpid() == 0

def test_it_hangs():
    print("hanging", flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def file() -> Iterator[str]:
    """Beside the repository's files: the guest has directories of its own where pytest's are."""
    directory = ROOT / "out" / "guest"
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "test_in_guest.py"
    path.write_text(TESTS.format(release=os.uname().release))
    yield str(path)
    path.unlink()
    directory.rmdir()


def test_a_test_that_fails_in_the_guest_fails_here(file: str, tmp_path: Path) -> None:
    result = tmp_path / "junit.xml"
    argv = [*HARNESS, "--junit", str(result), file, "-k", "not hangs"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    cases = ET.parse(result).iter("testcase")  # noqa: S314  (our own)
    assert {case.get("name"): case.find("failure") is not None for case in cases} == {
        "test_it_is_another_kernel": False,
        "test_what_it_writes_stays_in_the_guest": False,
        "test_it_fails": True,
    }
    assert "1 failed, 2 passed" in done.stdout
    assert not os.path.exists("/written-in-a-guest")


def test_a_guest_whose_tests_hang_is_killed_and_that_is_said(file: str) -> None:
    argv = [*HARNESS, "--seconds", "15", file, "-k", "hangs"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "the tests did not come to an end in 15 s: the guest is killed" in done.stderr


def test_a_harness_that_is_killed_leaves_no_process_and_no_file(file: str, tmp_path: Path) -> None:
    before = set(os.listdir("/dev/shm"))
    environment = {**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    harness = subprocess.Popen(
        [*HARNESS, file, "-k", "hangs"], cwd=ROOT, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert harness.stdout is not None
    while "hanging" not in harness.stdout.readline():
        assert harness.poll() is None
    guests = [os.pidfd_open(pid) for pid in descendants(harness.pid)]
    assert guests
    harness.kill()
    harness.communicate(timeout=20)
    for guest in guests:
        assert select.select([guest], (), (), 5)[0], "a guest's process lives on"
        os.close(guest)
    assert set(os.listdir("/dev/shm")) <= before
    assert os.listdir(tmp_path) == []


def descendants(pid: int) -> list[int]:
    """All processes that `pid` has started: User Mode Linux is several."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [each for child in map(int, children) for each in (child, *descendants(child))]
