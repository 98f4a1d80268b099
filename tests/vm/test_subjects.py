"""The VMs that are benchmarked: each run is a boot, each line has its own time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import qemus

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.subjects.microvm import Virtual, machines
from bench.subjects.place import Place
from minirt.errors import HostError

if TYPE_CHECKING:
    from conftest import Layers

NAMES = ("microvm", "q35")
TICK = ["/bin/sh", "-c", "/bin/busybox echo one; /bin/busybox sleep 1; /bin/busybox echo two"]


def subject(layers: Layers, name: str) -> Virtual:
    (found,) = [machine for machine in machines(Place(tree=layers[0])) if machine.name == name]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_run_boots_a_vm_and_stamps_its_lines(layers: Layers, name: str) -> None:
    with subject(layers, name) as virtual:
        run = virtual.run(TICK)

    (one, first), (two, second) = run.lines
    assert virtual.absent() == ""
    assert (one, two, run.status) == ("one", "two", 0)
    assert run.began < first < second < run.ended
    assert second - first > 800_000_000
    assert run.cpu_s
    assert 0 < run.used[0] < run.used[1] < run.cpu_s
    assert run.retries == 0
    assert list(run.phases) == [
        "vm.spawn", "vm.kernel", "vm.init", "vm.ready", "vm.command", "vm.shutdown",
    ]  # fmt: skip


def test_an_instance_stays_until_its_block_ends(layers: Layers) -> None:
    script = "/bin/busybox echo up; /bin/busybox cat; /bin/busybox echo over"
    with subject(layers, "microvm") as virtual, virtual.launch(["/bin/sh", "-c", script]) as vm:
        assert vm.first[0] == "up"
        assert qemus() < set(vm.pids())  # and the process that has booted it
        with pytest.raises(TimeoutError):
            vm.line(1)
    assert not qemus()


def test_one_with_a_tap_is_reached_at_its_address(layers: Layers) -> None:
    with subject(layers, "microvm-tap") as virtual:
        assert (virtual.network, virtual.absent()) == ("tap", "")
        with virtual.launch(["/bin/sh", "-c", "/bin/busybox echo up; /bin/busybox cat"]) as vm:
            ping = ["ping", "-c", "1", "-W", "10", vm.address]
            assert subprocess.run(ping, check=False, capture_output=True).returncode == 0
    assert not qemus()


def test_a_program_that_fails_is_no_sample(layers: Layers) -> None:
    with (
        subject(layers, "microvm") as virtual,
        pytest.raises(HostError, match="ended with 3: why"),
    ):
        virtual.run(["/bin/sh", "-c", "/bin/busybox echo why; exit 3"])
