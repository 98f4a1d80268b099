"""The experiments show what they promise, leave nothing behind, and cannot harm this machine."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vm.experiments import kernel_version, shared_kernel

ROOT = Path(__file__).resolve().parents[2]
SHARED_KERNEL = [sys.executable, "-m", "vm.experiments.shared_kernel"]


def run(experiment: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", f"vm.experiments.{experiment}", *arguments]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)


def test_a_crash_ends_all_containers_of_its_kernel_and_no_other() -> None:
    before = shared_kernel.BOOT_ID.read_text()

    done = run("shared_kernel")

    said = re.sub(r"^ *[\d.]+ s +", "", done.stdout, flags=re.MULTILINE)
    assert done.returncode == 0, done.stderr
    for name in shared_kernel.NAMES:
        assert re.search(rf"^first +container {name} has ended with its kernel$", said, re.M)
        assert re.search(rf"^second +container {name} is alive$", said, re.M)
    assert re.search(r"^first +container web: refused by the kernel", said, re.M)
    assert re.search(r"^first +.*Kernel panic.*sysrq", said, re.M)
    assert shared_kernel.BOOT_ID.read_text() == before


def crash(trigger: Path, boot_id: str) -> str:
    """Run what would crash a kernel, with an ordinary file in the place of the trigger."""
    trigger.touch()
    argv = ["sh", "-c", shared_kernel.CRASH, "sh", boot_id, str(trigger)]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout


def test_the_letter_is_not_written_on_this_machine(tmp_path: Path) -> None:
    trigger = tmp_path / "trigger"

    assert "refused" in crash(trigger, shared_kernel.BOOT_ID.read_text().strip())
    assert trigger.read_text() == ""


def test_the_letter_is_written_on_another_kernel(tmp_path: Path) -> None:
    trigger = tmp_path / "trigger"

    assert crash(trigger, "the boot_id of another kernel") == ""
    assert trigger.read_text() == "c\n"


def test_the_same_image_has_this_kernel_in_a_container_and_others_in_vms() -> None:
    done = run("kernel_version")

    assert done.returncode == 0, done.stderr
    rows = [re.split(r"  +", line) for line in done.stdout.splitlines()]
    releases = [release for _where, release in rows]
    assert [where for where, _ in rows][:2] == ["this machine", "as a container"]
    assert releases[0] == releases[1] == os.uname().release
    assert len(set(releases)) == 3


def test_a_distribution_with_one_kernel_is_told_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("minirt.host.debs.names", lambda _prefix: [])
    monkeypatch.setattr("minirt.vm.kernel._newest", lambda _directory: None)
    monkeypatch.setattr(
        "minirt.vm.kernel._install", lambda _d, _p: kernel_version.kernel.Kernel("", "6.1")
    )
    monkeypatch.setattr("sys.argv", ["kernel_version.py"])
    monkeypatch.setattr(kernel_version, "in_guest", lambda found: ("in a VM", found.release))

    assert kernel_version.main(kernel_version.experiment, "") == 125
    assert "no second kernel for VMs, beside 6.1" in capsys.readouterr().err


@pytest.mark.parametrize("experiment", ["shared_kernel", "kernel_version"])
def test_each_experiment_has_help(experiment: str) -> None:
    done = run(experiment, "--help")

    assert done.returncode == 0
    assert f"python -m vm.experiments.{experiment}" in done.stdout


def test_ctrl_c_leaves_no_guest() -> None:  # conftest.py looks for one
    experiment = subprocess.Popen(
        SHARED_KERNEL, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert experiment.stdout is not None
    while "container web is up" not in experiment.stdout.readline():
        pass
    experiment.send_signal(signal.SIGINT)
    experiment.communicate(timeout=20)

    assert experiment.returncode == 128 + signal.SIGINT
