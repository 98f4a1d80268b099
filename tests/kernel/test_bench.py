"""`python -m bench run` measures for real, and leaves nothing, however it ends."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench import samples, tree
from bench.subjects import catalog
from bench.subjects.place import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.subject import Subject

ROOT = Path(__file__).parent.parent.parent
RUN = [sys.executable, "-B", "-m", "bench", "run", "--no-report"]
STAY = ("process", "step6-none", "step6", "warm", "runc")  # what can be launched, by name


@pytest.fixture(scope="session")
def built() -> str:
    """The file tree; made here, so that no test waits for it."""
    return tree.ensure()


@pytest.fixture
def place(built: str, playground: Path) -> Iterator[Place]:
    scratch = playground / "scratch"
    scratch.mkdir()
    yield Place(built, str(scratch))
    for path in sorted(scratch.rglob("*"), reverse=True):
        path.unlink() if not path.is_dir() else path.rmdir()
    scratch.rmdir()


def subject(name: str, place: Place) -> Subject:
    """The subject; a runtime that is not installed here is no failure of ours."""
    (found,) = catalog.choose([name], place)
    if found.absent():
        pytest.skip(found.absent())
    return found


def test_two_samples_of_two_subjects_and_their_pair(built: str, tmp_path: Path) -> None:
    assert built
    file = tmp_path / "r.jsonl"
    only = ["--subjects", "process,step6-none", "--metrics", "start", "--samples", "2"]
    subprocess.run([*RUN, *only, "--out", str(file)], cwd=ROOT, check=True, capture_output=True)
    results = samples.read(file)
    assert results.complete
    assert results.absent == []
    names = {"process", "step6-none", "step6-none-again"}
    assert {sample.subject for sample in results.samples} == names
    assert len(results.samples) == len(names) * 2 * 2
    for sample in results.samples:
        assert 0 < sample.detail["first_s"] <= sample.value
        assert sample.detail["cpu_s"] > 0
    assert results.header["machine"]["kernel"] == os.uname().release


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_keeps_its_samples_and_leaves_nothing(
    built: str, tmp_path: Path, number: int
) -> None:
    """Sent while containers come and go: when the first sample is in the file."""
    assert built
    file = tmp_path / "r.jsonl"
    only = ["--subjects", "step6,warm,step6-none", "--metrics", "start", "--samples", "500"]
    with subprocess.Popen(
        [*RUN, *only, "--out", str(file)], cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stderr is not None
        while "samples each" not in (line := run.stderr.readline()):
            assert line, "it ended before it measured"
        while '"kind": "sample"' not in file.read_text(encoding="utf-8"):
            assert run.poll() is None
            select.select([run.stderr], [], [], 0.01)
        run.send_signal(number)
        said = run.stderr.read()
    assert run.returncode == 130, said
    assert f"what was measured is in {file}" in said
    results = samples.read(file)
    assert results.samples
    assert not results.complete


@pytest.mark.parametrize("name", STAY)
def test_an_instance_says_what_belongs_to_it_and_ends_with_its_block(
    name: str, place: Place
) -> None:
    with subject(name, place) as entered:
        with entered.launch(["/work", "idle"]) as instance:
            pids = instance.pids()
            assert any(b"idle" in Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids)
            assert bool(instance.address) == (name == "step6")
            group = instance.cgroup()
            if name != "process":
                members = Path(f"{group}/cgroup.procs").read_text().split()
                assert set(map(int, members)) <= set(pids)
        assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.parametrize("name", STAY)
def test_work_is_stamped_where_it_begins_and_ends(name: str, place: Place) -> None:
    with subject(name, place) as entered:
        run = entered.run(["/work", "syscalls"])
    (begin, begun), (end, ended) = run.lines
    assert (begin, end) == ("begin syscalls", "end syscalls 2000000")
    assert run.began < begun < ended <= run.ended
