"""What a guest says becomes marks; a command line becomes one line of shell; figures, a table."""

from __future__ import annotations

import subprocess

import pytest

from minirt.errors import ConfigError, HostError
from minirt.spans import Recorder
from minirt.vm import machine, once, request
from minirt.vm.accelerator import Accelerator
from minirt.vm.guest import Guest
from minirt.vm.job import Job
from minirt.vm.machine import TCG, Machine
from minirt.vm.session import Record
from minirt.vm.table import Figures, table


class Silent:
    """A session of which nothing is asked."""

    def __init__(self, record: Record) -> None:
        self.record = record


def observed() -> tuple[Record, Job]:
    """A guest that ran a command from 1000 to 1700 ns."""
    record = Record(1000)
    record.on_console(b"[    0.000000] Linux version 6.1\r\n", 1100)
    record.on_console(b"minirt: in", 1200)
    record.on_console(b"it\r\n", 1300)
    job = Job(Silent(record), 1)  # type: ignore[arg-type]
    record.jobs[1] = job
    record.on_control(b"ready 6.1.0-9-cloud\nsta", 1400)
    record.on_control(b"rt 1\nend 1 3\n", 1500)
    record.on_output(1, b"\x00ready 9\nend 1 0\nlast" + job.end[:9].encode(), 1550)
    record.on_output(1, job.end[9:].encode(), 1600)
    record.marks["exit"] = 1700
    return record, job


def booted(tmp_path: object, *, accelerator: str = TCG, retries: int = 0) -> Guest:
    reason = "no /dev/kvm" if accelerator == TCG else ""
    chosen = Accelerator(accelerator, reason)
    guest = Guest(Machine(str(tmp_path), str(tmp_path), str(tmp_path), accelerator=chosen))
    record, job = observed()
    guest.session = Silent(record)  # type: ignore[assignment]
    guest.jobs, guest.retries = [job], retries
    return guest


def result(tmp_path: object, *, accelerator: str = TCG, retries: int = 0) -> once.Result:
    guest = booted(tmp_path, accelerator=accelerator, retries=retries)
    return once.Result(guest, pss=200 << 20)


def test_a_mark_is_stamped_when_its_last_byte_arrives() -> None:
    record, job = observed()

    assert record.marks == {
        "spawn": 1000, "kernel": 1100, "init": 1300, "ready": 1400, "exit": 1700,
    }  # fmt: skip
    assert (job.started, job.ended, job.closed) == (1500, 1500, 1600)


def test_what_the_command_prints_is_no_answer_of_the_guests_init() -> None:
    record, job = observed()

    assert bytes(job.output) == b"\x00ready 9\nend 1 0\nlast"
    assert (record.release, job.status) == ("6.1.0-9-cloud", 3)


def test_each_line_has_the_arrival_of_its_last_byte() -> None:
    _record, job = observed()

    assert job.lines == [("\x00ready 9", 1550), ("end 1 0", 1550), ("last", 1550)]


def test_init_must_be_at_the_start_of_a_line() -> None:
    record = Record(0)
    record.on_console(b'[    0.1] Kernel command line: x="minirt: init"\r\n', 1)

    assert "init" not in record.marks


@pytest.mark.parametrize(
    ("console", "words"),
    [
        (b"[ 1.0] VFS: Mounted\r\n[ 1.1] stuck here\r\n", "[ 1.1] stuck here"),
        (
            b"minirt: init\r\nminirt: cannot mount the image\r\n[ 2] reboot\r\n",
            "cannot mount the image",
        ),
        (
            b"[ 1.0] Kernel panic - not syncing: x\r\n[ 1.1] Rebooting\r\n",
            "[ 1.0] Kernel panic - not syncing: x",
        ),
        (b"minirt: init\r\n", ""),
        (b"", ""),
    ],
)
def test_the_last_words_are_of_the_guests_init_before_the_kernels(
    console: bytes, words: str
) -> None:
    record = Record(0)
    record.on_console(console, 1)

    assert record.last_words() == words


@pytest.mark.parametrize(
    "word",
    ["", "plain", "it's", "a b\tc", "two\nlines", "'", "\n", '$(id) `id` \\ "', "\udcff", "é"],
)
def test_a_quoted_word_is_one_line_and_comes_back_from_a_shell(word: str) -> None:
    quoted = request.quote(word)

    assert b"\n" not in quoted
    shown = subprocess.run(["bash", "-c", b"printf %s " + quoted], capture_output=True, check=True)
    assert shown.stdout == word.encode(errors="surrogateescape")


def test_a_command_cannot_contain_nul() -> None:
    with pytest.raises(ConfigError, match="NUL"):
        request.quote("a\0b")


def test_spans_join_from_spawn_to_exit(tmp_path: object) -> None:
    recorder = Recorder()

    booted(tmp_path).record(recorder)

    assert [span.name for span in recorder.spans] == [
        "vm.spawn", "vm.kernel", "vm.init", "vm.ready", "vm.command", "vm.shutdown",
    ]  # fmt: skip
    assert recorder.spans[0].start == 1000
    assert recorder.spans[-1].end == 1700
    for before, after in zip(recorder.spans, recorder.spans[1:], strict=False):
        assert before.end == after.start
    assert recorder.spans[4].attributes["process.exit.code"] == 3


CONTAINER = Figures(
    start_ns=100, memory_bytes=1 << 20, kernel_bytes=1 << 20, image_bytes=3 << 20,
    own_bytes=4096, release="6.18",
)  # fmt: skip


def test_the_table_compares_what_was_measured(tmp_path: object) -> None:
    text = table(CONTAINER, result(tmp_path))

    assert "5.0 : 1" in text  # 500 ns to the start in the VM, 100 in the container
    assert "100 : 1" in text  # 200 MiB against 1 MiB and the kernel's 1 MiB
    assert "6.18" in text
    assert "6.1.0-9-cloud" in text


def test_a_vm_without_kvm_is_called_emulated(tmp_path: object) -> None:
    assert "VM (emulated)" in table(CONTAINER, result(tmp_path))
    assert "no /dev/kvm" in table(CONTAINER, result(tmp_path))
    assert "emulat" not in table(CONTAINER, result(tmp_path, accelerator="kvm"))


def test_retries_are_in_the_table(tmp_path: object) -> None:
    assert "2 attempts" in table(CONTAINER, result(tmp_path, retries=1))
    assert "attempts" not in table(CONTAINER, result(tmp_path))


def test_what_was_not_measured_is_no_zero_and_makes_no_ratio(tmp_path: object) -> None:
    unknown = Figures(
        start_ns=None, memory_bytes=1 << 20, kernel_bytes=None, image_bytes=None, own_bytes=None,
        release="6.18",
    )  # fmt: skip

    text = table(unknown, result(tmp_path))

    assert text.count("not measured") == 4
    assert " : 1" not in text


def test_a_missing_qemu_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")

    with pytest.raises(HostError, match="qemu-system") as caught:
        machine.program()

    assert "apt-get install" in caught.value.hint
