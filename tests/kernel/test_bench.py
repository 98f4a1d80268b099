"""`python -m bench run` measures for real, and leaves nothing, however it ends."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench import large, samples, tree
from bench.metrics import density
from bench.metrics.cpu import Cpu
from bench.metrics.density import Density
from bench.metrics.disk import Disk
from bench.metrics.memory import Memory
from bench.metrics.network import Network
from bench.process import descendants
from bench.subjects import catalog
from bench.subjects.place import Place
from minirt.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.samples import Setting
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
    *words, user, system = end.split()
    assert (begin, words) == ("begin syscalls", ["end", "syscalls", "2000000"])
    assert run.began < begun < ended <= run.ended
    assert 0 < float(user) + float(system) < (ended - begun) / 1e9 + 0.01


@pytest.mark.parametrize("setting", Cpu().settings(full=True), ids=lambda each: each["work"])
@pytest.mark.parametrize("name", ["process", "step6-none"])
def test_a_processors_work_is_timed(name: str, setting: Setting, place: Place) -> None:
    with subject(name, place) as entered:
        (reading,) = Cpu().take(entered, setting)
    assert reading.value > 0
    assert 0 < reading.detail["cpu_s"] < reading.detail["work_s"] * 2 + 0.01


@pytest.mark.parametrize("name", ["process", "step6-none", "runc"])
def test_memory_is_that_of_one_of_several(name: str, place: Place) -> None:
    """A step has an interpreter besides the program, and so has more than it."""
    with subject(name, place) as entered:
        (reading,) = Memory().take(entered, {"instances": 2})
        assert descendants(os.getpid()) == [os.getpid()]
    detail = reading.detail
    assert reading.value == pytest.approx(detail["private"] + detail["shared_file"] / 2)
    assert detail["kernel"] is None
    assert detail["private"] > (4 << 20 if name == "step6-none" else 1 << 14)
    assert ("cgroup" in detail) == (name != "process")


DISK = [
    *[("process", what) for what in ("first-read", "read", "random", "write")],
    *[("step6-none", str(setting["what"])) for setting in Disk().settings(full=True)],
]


@pytest.mark.parametrize(("name", "what"), DISK)
def test_a_disk_is_measured_and_the_tree_stays_as_it_was(
    name: str, what: str, place: Place
) -> None:
    file = Path(large.ensure(), large.NAME)
    before = file.stat()
    with subject(name, place) as entered:
        (reading,) = Disk().take(entered, {"what": what})
    assert reading.value > 0
    if what not in ("image", "first-start", "writable", "random"):
        assert reading.detail["amount"] == large.SIZE
    after = file.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert {path.name for path in file.parent.iterdir()} == {*os.listdir(tree.ensure()), large.NAME}


def test_what_a_first_start_needs_is_more_than_the_image(place: Place) -> None:
    with subject("step6-none", place) as entered:
        (image,) = Disk().take(entered, {"what": "image"})
        (needed,) = Disk().take(entered, {"what": "first-start"})
    parts = needed.detail["parts"]
    assert (parts["files"], sum(parts.values())) == (image.value, needed.value)
    assert min(parts["minirt"], parts["packages"]) > 1 << 20


def test_a_start_that_compiles_its_filter_keeps_it_in_a_cache_of_its_own(place: Place) -> None:
    with subject("step6-none-compile", place) as entered:
        entered.run(["/work", "mark"])
    (kept,) = Path(place.scratch, "step6-none-compile/minirt/seccomp").iterdir()
    assert kept.name.startswith("seccomp-")


def test_what_a_plain_process_lacks_is_no_figure(place: Place) -> None:
    with subject("process", place) as entered, pytest.raises(HostError, match="neither an image"):
        Disk().take(entered, {"what": "image"})


@pytest.mark.parametrize(
    ("name", "path"), [("process", "direct"), ("step6", "direct"), ("step6", "published")]
)
def test_a_round_trip_and_a_stream_are_measured(name: str, path: str, place: Place) -> None:
    with subject(name, place) as entered:
        trip, stream = Network().take(entered, {"path": path})
    assert (trip.setting["what"], stream.setting["what"]) == ("round trip", "throughput")
    assert 0 < trip.value < 1
    assert stream.value > 1 << 20


def test_an_instance_without_a_network_has_no_round_trip(place: Place) -> None:
    with subject("step6-none", place) as entered, pytest.raises(HostError, match="no network"):
        Network().take(entered, {"path": "direct"})


@pytest.mark.parametrize("name", ["process", "step6-none"])
def test_a_sweep_ends_what_it_started(
    name: str, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(density, "MOST", 3)
    with subject(name, place) as entered:
        (reading,) = Density().take(entered, {})
        assert descendants(os.getpid()) == [os.getpid()]
    assert (reading.value, reading.detail["limit"]) == (3, "count")


def test_an_interrupted_sweep_ends_what_it_started(built: str, tmp_path: Path) -> None:
    """Sent when three containers wait: in the warm-up, so there is no sample."""
    assert built
    file = tmp_path / "r.jsonl"
    only = ["--full", "--subjects", "step6-none", "--metrics", "density", "--samples", "1"]
    with subprocess.Popen(
        [*RUN, *only, "--out", str(file)], cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as run:
        while waiting(run.pid) < 3:
            assert run.poll() is None
            select.select([], [], [], 0.01)
        run.send_signal(signal.SIGINT)
        assert run.stderr is not None
        said = run.stderr.read()
    assert run.returncode == 130, said
    results = samples.read(file)
    assert (results.samples, results.complete) == ([], False)


def waiting(pid: int) -> int:
    """How many programs that wait are below `pid`."""
    found = 0
    for each in descendants(pid):
        with contextlib.suppress(OSError):  # it ends at this moment
            found += Path(f"/proc/{each}/cmdline").read_bytes() == b"/work\0idle\0"
    return found
