"""vm/Vagrantfile is one that vagrant accepts. Whether a machine comes up is not tried here."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

BOX = Path(__file__).parents[2] / "vm"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A copy: vagrant writes beside the file that it reads."""
    for name in ("Vagrantfile", "provision.sh"):
        shutil.copy(BOX / name, tmp_path)
    return tmp_path


def validate(directory: Path) -> subprocess.CompletedProcess[str]:
    if shutil.which("vagrant") is None:
        known = subprocess.run(["apt-cache", "show", "vagrant"], capture_output=True, check=False)
        if known.returncode:
            pytest.skip("this distribution has no package vagrant")
    return subprocess.run(
        ["vagrant", "validate", "--ignore-provider"],
        cwd=directory, capture_output=True, text=True, check=False,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "VAGRANT_HOME": str(directory / "home"),
            "VAGRANT_CHECKPOINT_DISABLE": "1",  # it would ask the network for a newer vagrant
        },
    )  # fmt: skip


def test_vagrant_accepts_the_machine(directory: Path) -> None:
    done = validate(directory)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "validated successfully" in done.stdout


def test_a_setting_that_vagrant_does_not_know_is_refused(directory: Path) -> None:
    with (directory / "Vagrantfile").open("a") as file:
        file.write('Vagrant.configure("2") { |config| config.vm.no_such_setting = 1 }\n')
    done = validate(directory)
    assert done.returncode == 1
    assert "no_such_setting" in done.stdout + done.stderr


def test_a_provision_script_that_is_missing_is_noticed(directory: Path) -> None:
    (directory / "provision.sh").unlink()
    assert validate(directory).returncode == 1


def test_the_provision_script_knows_its_steps() -> None:
    done = subprocess.run(
        ["bash", BOX / "provision.sh", "pakages"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "provision: no step pakages: choose packages or setup\n"
