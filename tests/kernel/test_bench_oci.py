"""`python -m bench run --suite oci` calls three runtimes as engines do, and leaves nothing."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from test_bench import waiting

from bench import samples, tree
from minirt.linux import mountinfo

if TYPE_CHECKING:
    from bench.samples import Results, Sample

ROOT = Path(__file__).parent.parent.parent
RUN = [sys.executable, "-B", "-m", "bench", "run", "--no-report", "--suite", "oci"]
RUNTIMES = {"minirt-oci", "minirt-oci-again", "runc", "crun"}
CALLED = ("oci-run", "oci-life", "oci-exec", "oci-waiting")
CAPABILITIES = 14  # that docker's configuration keeps


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """One sample of each call: the smallest run there is."""
    for program in ("runc", "crun"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    tree.ensure()
    file = tmp_path_factory.mktemp("bench") / "r.jsonl"
    only = ["--metrics", ",".join(CALLED), "--samples", "1", "--out", str(file)]
    subprocess.run([*RUN, *only], cwd=ROOT, check=True, capture_output=True)
    return samples.read(file)


def of(results: Results, metric: str) -> list[Sample]:
    return [s for s in results.samples if s.metric == metric and s.subject != "process"]


def test_every_runtime_makes_every_call(measured: Results) -> None:
    assert measured.complete
    assert (measured.absent, measured.footer["failures"]) == ([], [])
    for metric in CALLED:
        assert {sample.subject for sample in of(measured, metric)} == RUNTIMES
        gaps = {sample.setting.get("gap_s") for sample in of(measured, metric)}
        assert gaps == ({None} if metric == "oci-waiting" else {0.0, 0.06})


def test_a_life_is_the_sum_of_its_three_calls(measured: Results) -> None:
    for sample in of(measured, "oci-life"):
        parts = [sample.detail[f"{name}_s"] for name in ("create", "start", "delete")]
        assert min(parts) > 0
        assert sum(parts) == pytest.approx(sample.value)


def test_all_runtimes_did_the_same_work(measured: Results) -> None:
    """The kernel's own tables, of one container each."""
    seen = {sample.subject: sample.detail["seen"] for sample in of(measured, "oci-exec")}
    assert {each["seccomp"] for each in seen.values()} == {2}
    assert len({each["capabilities"] for each in seen.values()}) == 1
    assert int(seen["minirt-oci"]["capabilities"], 16).bit_count() == CAPABILITIES
    mounts = {name: each["mounts"] for name, each in seen.items()}
    assert len(set(mounts.values())) == 1, mounts


def test_what_waits_is_more_than_its_private_memory(measured: Results) -> None:
    for sample in of(measured, "oci-waiting"):
        assert 0 < sample.detail["private"] <= sample.detail["pss"] <= sample.value


def test_the_file_says_how_it_was_measured(measured: Results) -> None:
    header = measured.header
    assert header["suite"] == "oci"
    assert header["bundle"]["masked paths"] == 10
    assert "made before anything was measured" in header["mount_namespace"]
    assert "ready in" in header["subjects"]["minirt-oci"]["note"]
    assert "runc version" in header["machine"]["versions"]["runc"]


def test_the_hosts_cgroups_stay_mounted(measured: Results) -> None:
    hybrid = "unmounted" in measured.header["mount_namespace"]
    here = [each.mountpoint for each in mountinfo.mounts() if each.fstype == "cgroup2"]
    assert not hybrid or any(path in measured.header["mount_namespace"] for path in here)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_crowd_goes(tmp_path: Path, number: int) -> None:
    """Sent when some of the two hundred run: in the warm-up, so there is no sample."""
    tree.ensure()
    file = tmp_path / "r.jsonl"
    only = ["--full", "--subjects", "minirt-oci", "--metrics", "oci-crowd", "--out", str(file)]
    with subprocess.Popen([*RUN, *only], cwd=ROOT, stderr=subprocess.PIPE, text=True) as run:
        while waiting(run.pid) < 5:
            assert run.poll() is None
            select.select([], [], [], 0.01)
        run.send_signal(number)
        assert run.stderr is not None
        said = run.stderr.read()
    assert run.returncode == 130, said
    assert not samples.read(file).complete
    groups = Path("/sys/fs/cgroup").rglob(f"minirt-bench-{run.pid}-*")
    assert not list(groups)
    assert not os.path.exists(f"/proc/{run.pid}")
