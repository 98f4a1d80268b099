"""A VM that does not boot, and a minirt that is killed while one runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import qemus
from hang import write

from minirt.errors import HostError
from minirt.vm import guest, kernel, once, prepare
from minirt.vm.accelerator import Accelerator, trial
from minirt.vm.guest import Guest
from minirt.vm.machine import TCG, Machine

Layers = tuple[str, str]
EMULATED = Accelerator(TCG, "for a test")


def machine(layers: Layers, image: str) -> Machine:
    real = prepare.prepare(layers)
    return Machine(image, real.initramfs, real.disk, accelerator=EMULATED)


def run(made: Machine, timeout: float) -> tuple[int, int]:
    """The status of `true`, and how many boots failed."""
    with Guest(made, timeout=timeout) as running:
        return running.run(["true"]).status, running.retries


def test_a_guest_that_hangs_is_started_once_more_and_given_up(
    layers: Layers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    started = time.monotonic()

    with pytest.raises(HostError, match=r"did not boot within 1 s .it said nothing., 2 times"):
        run(machine(layers, write(tmp_path / "hang")), 1)

    assert 2 <= time.monotonic() - started < 10
    assert capsys.readouterr().err.count("starting it once more") == 1


def test_an_accelerator_that_gets_stuck_is_found_out_within_five_seconds(
    layers: Layers, tmp_path: Path
) -> None:
    started = time.monotonic()

    assert "gets stuck" in trial(machine(layers, write(tmp_path / "hang")))
    assert time.monotonic() - started < 5


def test_a_second_attempt_that_boots_is_reported(
    layers: Layers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = tmp_path / "kernel"
    image.symlink_to(write(tmp_path / "hang"))
    said = []

    def meanwhile_it_is_mended(text: str) -> None:
        said.append(text)
        image.unlink()
        image.symlink_to(kernel.find().image)

    monkeypatch.setattr(guest, "say", meanwhile_it_is_mended)
    assert run(machine(layers, str(image)), 15) == (0, 1)
    assert len(said) == 1


def test_a_kernel_that_is_garbage_is_an_error(layers: Layers, tmp_path: Path) -> None:
    garbage = tmp_path / "garbage"
    garbage.write_bytes(os.urandom(1 << 20))

    with pytest.raises(HostError, match="2 times"):
        run(machine(layers, str(garbage)), 2)


def test_a_guest_without_its_disk_says_so(layers: Layers) -> None:
    made = machine(layers, kernel.find().image)
    made.disk = ""

    with pytest.raises(HostError, match="cannot mount the image"):
        run(made, 30)


BOOT = """
import sys
from minirt.vm import once
once.boot(sys.argv[1:], ["sh", "-c", "sleep 600"], env={"PATH": "/bin"}, hostname="box")
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_minirt_that_is_killed_leaves_no_vm(layers: Layers, number: signal.Signals) -> None:
    once.boot(layers, ["true"], env={"PATH": "/bin"}, hostname="box")  # everything is cached now
    temporary = set(os.listdir("/tmp")) | set(os.listdir("/var/tmp"))
    minirt = subprocess.Popen([sys.executable, "-c", BOOT, *layers], stderr=subprocess.PIPE)
    pid = _child(minirt.pid)
    pidfd = os.pidfd_open(pid)
    try:
        minirt.send_signal(number)
        minirt.communicate(timeout=10)
        assert minirt.returncode != 0
        _await_end(pidfd)
    finally:
        os.close(pidfd)
    assert pid not in qemus()
    assert set(os.listdir("/tmp")) | set(os.listdir("/var/tmp")) <= temporary


def test_a_signal_to_step_7_ends_its_vm(layers: Layers) -> None:
    once.boot(layers, ["true"], env={"PATH": "/bin"}, hostname="box")  # everything is cached now
    words = [sys.executable, "-m", "minirt.step7", "--quiet", "--network", "none", "--"]
    # In the container, where it is process 1, it ends at once; in the VM it is not.
    script = "[ $$ = 1 ] || sleep 600"
    step = subprocess.Popen([*words, "sh", "-c", script], stderr=subprocess.PIPE)
    pid = _child(step.pid)
    step.send_signal(signal.SIGINT)
    step.communicate(timeout=20)
    assert step.returncode == 128 + signal.SIGINT
    assert pid not in qemus()


def test_a_signal_to_step_7s_container_boots_no_vm() -> None:
    words = [sys.executable, "-m", "minirt.step7", "--quiet", "--network", "none", "--"]
    script = "echo ready; trap 'exit 9' TERM; sleep 600 & wait"
    step = subprocess.Popen([*words, "sh", "-c", script], stdout=subprocess.PIPE, text=True)
    assert step.stdout is not None
    assert step.stdout.readline() == "ready\n"
    step.send_signal(signal.SIGINT)
    assert (step.communicate(timeout=20)[0], step.returncode) == ("", 128 + signal.SIGINT)


def _child(parent: int) -> int:
    """The QEMU process that `parent` has started, once it is QEMU."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        found = [int(child) for child in children if int(child) in qemus()]
        if found:
            return found[0]
    raise TimeoutError


def _await_end(pidfd: int) -> None:
    import select

    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    assert poll.poll(5000)
