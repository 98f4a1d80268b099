"""A guest that runs one command after another, and several at a time."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from conftest import Layers, qemus

from minirt.errors import MinirtError
from minirt.spans import Recorder
from minirt.vm.guest import Guest
from minirt.vm.prepare import prepare

if TYPE_CHECKING:
    from collections.abc import Iterator

CHANNELS = 3


@pytest.fixture(scope="module")
def guest(layers: Layers) -> Iterator[Guest]:
    with Guest(prepare(layers, channels=CHANNELS)) as running:
        yield running


def shell(script: str) -> list[str]:
    return ["sh", "-c", script]


def test_commands_run_one_after_another_in_the_same_guest(guest: Guest) -> None:
    first = guest.run(shell("cat /proc/sys/kernel/random/boot_id; touch /tmp/new; exit 3"))
    second = guest.run(shell("cat /proc/sys/kernel/random/boot_id; ls /tmp; exit 4"))

    assert (first.status, second.status) == (3, 4)
    assert second.output == first.output + b"new\n"


def test_each_line_has_its_own_time_of_arrival(guest: Guest) -> None:
    job = guest.run(shell("echo one; sleep 1; echo two; printf three"))

    (one, first), (two, second), (three, third) = job.lines
    assert (one, two, three) == ("one", "two", "three")
    assert second - first > 800_000_000
    assert job.asked < job.started < first < second <= third <= job.closed


def test_ten_megabytes_arrive_whole_and_the_next_command_is_not_disturbed(guest: Guest) -> None:
    size = 10_000_000
    job = guest.run(
        shell(f"yes 0123456789 | head -c {size} >/tmp/much; cat /tmp/much; rm /tmp/much")
    )
    after = guest.run(["printf", "after"])

    expected = (b"0123456789\n" * (size // 11 + 1))[:size]
    assert hashlib.sha256(job.output).digest() == hashlib.sha256(expected).digest()
    assert len(job.lines) == size // 11 + 1
    assert after.output == b"after"


def test_binary_output_arrives_as_it_was_written(guest: Guest) -> None:
    script = "head -c 100000 /dev/urandom >/tmp/noise; cat /tmp/noise; sha256sum /tmp/noise"
    job = guest.run(shell(script))

    noise, said = job.output[:100000], job.output[100000:].decode()
    assert said.split()[0] == hashlib.sha256(noise).hexdigest()


def test_a_command_in_the_background_can_be_waited_for_line_by_line(guest: Guest) -> None:
    with guest.launch(shell("echo up; sleep 600")) as job:
        assert job.line(10)[0] == "up"
        assert guest.run(["printf", "beside"]).output == b"beside"
        assert not job.closed

    assert job.status == 128 + signal.SIGKILL


def test_standard_input_ends_at_once_or_never(guest: Guest) -> None:
    script = "cat; echo ended"

    assert guest.run(shell(script)).output == b"ended\n"
    with (
        guest.launch(shell(script), open_input=True) as job,
        pytest.raises(MinirtError, match="did not print another line within 1 s"),
    ):
        job.line(1)
    assert job.output == b""


def test_no_process_of_a_command_outlives_it(guest: Guest) -> None:
    with guest.launch(shell("sh -c 'sleep 601 & sleep 602' & sleep 603 & echo up; wait")) as job:
        job.line(10)
        with_it = guest.run(shell("cat /proc/[0-9]*/cmdline")).output
    without = guest.run(shell("cat /proc/[0-9]*/cmdline")).output

    assert all(b"sleep\x0060%d" % n in with_it for n in (1, 2, 3))
    assert b"sleep\x0060" not in without


def test_a_command_that_takes_too_long_is_stopped_and_the_guest_goes_on(guest: Guest) -> None:
    with pytest.raises(MinirtError, match="did not end within 1 s"):
        guest.run(["sleep", "600"], timeout=1)

    assert guest.run(["true"]).status == 0


def test_a_command_that_ends_before_the_awaited_line_is_an_error(guest: Guest) -> None:
    with (
        guest.launch(["false"]) as job,
        pytest.raises(MinirtError, match="ended with status 1 and did not print another line"),
    ):
        job.line(10)


def test_more_commands_than_channels_are_refused(guest: Guest) -> None:
    jobs = [guest.launch(["sleep", "600"]) for _ in range(CHANNELS)]

    with pytest.raises(MinirtError, match=f"runs {CHANNELS} commands"):
        guest.launch(["true"])
    for job in jobs:
        job.stop()
    assert guest.run(["true"]).status == 0


def test_each_phase_and_each_command_becomes_a_span(layers: Layers) -> None:
    recorder = Recorder()
    with Guest(prepare(layers)) as guest:
        guest.run(["true"])
        guest.run(["false"])
    guest.record(recorder)

    assert [span.name for span in recorder.spans] == [
        "vm.spawn", "vm.kernel", "vm.init", "vm.ready", "vm.command", "vm.command", "vm.shutdown",
    ]  # fmt: skip
    assert [span.attributes.get("process.exit.code") for span in recorder.spans[4:6]] == [0, 1]
    assert all(span.start < span.end for span in recorder.spans)
    assert guest.session.qemu.cpu_s > 0


def test_two_guests_at_once_know_nothing_of_each_other(layers: Layers) -> None:
    machine = prepare(layers)
    with Guest(machine, hostname="one") as one, Guest(machine, hostname="two") as two:
        crash = one.launch(shell("echo c >/proc/sysrq-trigger"))
        with pytest.raises(MinirtError, match=r"ended before its command: .*panic"):
            crash.wait(20)

        assert two.run(["hostname"]).output == b"two\n"
        with pytest.raises(MinirtError, match=r"the VM has ended: .*panic"):
            one.run(["true"])


def test_a_guest_that_does_not_shut_down_is_killed_and_that_is_said(
    layers: Layers, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minirt.vm.guest.SHUTDOWN_SECONDS", 1.0)
    with Guest(prepare(layers)) as guest:
        guest.session.ask(b"sleep 600")

    assert "the VM did not shut down in 1 s" in capsys.readouterr().err
    assert guest.session.qemu.process.returncode == -signal.SIGKILL


def test_a_command_that_kills_the_guests_init_ends_the_guest(layers: Layers) -> None:
    with Guest(prepare(layers)) as guest, pytest.raises(MinirtError, match="the VM ended"):
        guest.run(shell("kill -9 1; echo b >/proc/sysrq-trigger; sleep 60"))


PERSISTENT = """
import sys, time
from minirt.vm.guest import Guest
from minirt.vm.prepare import prepare
with Guest(prepare(sys.argv[1:])) as guest:
    print("up", flush=True)
    guest.run(["sleep", "600"])
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_guest_ends_with_the_process_that_booted_it(
    layers: Layers, number: signal.Signals
) -> None:
    prepare(layers)
    owner = subprocess.Popen(
        [sys.executable, "-c", PERSISTENT, *layers], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"up\n"
    assert qemus()
    owner.send_signal(number)
    owner.communicate(timeout=10)

    assert owner.returncode != 0
    deadline = time.monotonic() + 5
    while qemus() and time.monotonic() < deadline:
        os.sched_yield()
    assert not qemus()
