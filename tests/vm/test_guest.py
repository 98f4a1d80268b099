"""A command in a VM: its own status, its own output, its own kernel."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from minirt.errors import MinirtError
from minirt.spans import Recorder
from minirt.vm import accelerator, once, rootimage

if TYPE_CHECKING:
    from collections.abc import Sequence

Layers = tuple[str, str]
ENV = {"PATH": "/bin"}


def boot(layers: Layers, argv: Sequence[str], **options: float) -> once.Result:
    return once.boot(layers, argv, env=ENV, hostname="box", **options)  # type: ignore[arg-type]


def shell(layers: Layers, script: str, **options: float) -> once.Result:
    return boot(layers, ["sh", "-c", script], **options)


def test_the_command_runs_on_the_guests_own_kernel_as_root(layers: Layers) -> None:
    result = shell(layers, "uname -r; hostname; id -u; cat /motd; echo /*; exit 7")

    release, host, uid, motd, names = result.output.decode().splitlines()
    assert result.status == 7
    assert release == result.kernel_release != os.uname().release
    assert (host, uid, motd) == ("box", "0", "of the upper layer")
    assert names == "/bin /dev /motd /proc /sys /tmp"


def test_marks_are_in_the_order_of_time_and_become_spans(layers: Layers) -> None:
    recorder = Recorder()
    result = once.boot(layers, ["true"], env=ENV, hostname="box", recorder=recorder)

    names = [name for name, _ in result.marks]
    assert names == ["spawn", "kernel", "init", "ready", "start", "end", "exit"]
    assert [at for _, at in result.marks] == sorted(at for _, at in result.marks)
    assert len(recorder.spans) == 6
    assert all(span.start <= span.end for span in recorder.spans)


def test_memory_and_disk_are_those_of_this_vm(layers: Layers) -> None:
    result = boot(layers, ["true"], memory_mib=160)

    # A guest's memory is taken from the host as it is touched.
    assert 40 << 20 < result.pss_bytes < 600 << 20
    disk = Path(rootimage.build(layers))
    assert result.image_bytes == disk.stat().st_blocks * 512
    assert 1 << 20 < result.image_bytes < 8 << 20
    assert result.boot_bytes > 10 << 20


def test_output_is_exact(layers: Layers) -> None:
    result = shell(
        layers,
        "head -c 300000 /dev/urandom >/tmp/noise; cat /tmp/noise; sha256sum /tmp/noise >&2",
    )

    noise, said = result.output[:300000], result.output[300000:].decode()
    assert said.split()[0] == hashlib.sha256(noise).hexdigest()


def test_argv_and_environment_arrive_as_they_were_given(layers: Layers) -> None:
    environment = {"PATH": "/bin", "file": "a\nb", "quoted": 'it\'s "$HOME"', "empty": ""}
    argv = ["printf", "<%s>", "", "two\nlines", "*", "$(id)", "it's", "\udcff", "é", "-n", "--"]

    said = once.boot(layers, argv, env=environment, hostname="box").output
    seen = once.boot(layers, ["env"], env=environment, hostname="box").output

    assert said == "".join(f"<{word}>" for word in argv[2:]).encode(errors="surrogateescape")
    expected = "".join(f"{name}={value}\n" for name, value in environment.items())
    assert sorted(seen.decode().splitlines()) == sorted(expected.splitlines())


def test_the_program_is_the_images_not_the_initramfss(layers: Layers, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "ls"
    program.write_text("#!/bin/sh\necho $0: the image has its own\n")
    program.chmod(0o755)

    result = once.boot((*layers, str(tmp_path)), ["ls"], env=ENV, hostname="box")

    assert result.output == b"/bin/ls: the image has its own\n"


@pytest.mark.parametrize(
    ("argv", "status", "says"),
    [
        (["nosuchprogram"], 127, b"nosuchprogram: not found"),
        (["/motd"], 126, b"/motd: cannot be executed"),
        (["sh", "-c", "kill -9 $$"], 137, b""),
    ],
)
def test_how_the_command_ended_is_told_as_a_shell_does(
    layers: Layers, argv: list[str], status: int, says: bytes
) -> None:
    result = boot(layers, argv)

    assert result.status == status
    assert says in result.output


def test_a_process_that_outlives_the_command_ends_with_it(layers: Layers) -> None:
    result = shell(
        layers, "(while :; do sleep 1; done) & sleep 600 & echo done", command_timeout=20
    )

    assert (result.status, result.output) == (0, b"done\n")


def test_the_command_runs_in_its_working_directory(layers: Layers) -> None:
    script = ["sh", "-c", "pwd; cat /proc/mounts | head -n 1"]

    result = once.boot(layers, script, env=ENV, hostname="box", cwd="/tmp")

    directory, root = result.output.decode().splitlines()
    assert directory == "/tmp"
    assert root.startswith("overlay / overlay ")


def test_writes_vanish(layers: Layers) -> None:
    disk = Path(rootimage.build(layers))
    before = hashlib.sha256(disk.read_bytes()).digest()

    first = shell(layers, "echo changed >/motd && touch /new && cat /motd")
    second = shell(layers, "cat /motd; ls /new")

    assert first.output == b"changed\n"
    assert second.output.startswith(b"of the upper layer\n")
    assert b"No such file" in second.output
    assert hashlib.sha256(disk.read_bytes()).digest() == before


def test_a_command_that_takes_too_long_is_an_error(layers: Layers) -> None:
    with pytest.raises(MinirtError, match="did not end within 1 s"):
        boot(layers, ["sleep", "600"], command_timeout=1)


def test_a_command_that_crashes_the_kernel_takes_only_the_guest_down(layers: Layers) -> None:
    with pytest.raises(MinirtError, match=r"ended before its command: .*panic"):
        shell(layers, "echo c >/proc/sysrq-trigger; sleep 60")


def test_the_verdict_on_kvm_is_found_out_once(
    layers: Layers, capsys: pytest.CaptureFixture[str]
) -> None:
    first = boot(layers, ["true"])
    capsys.readouterr()
    second = boot(layers, ["true"])

    assert (first.accelerator, first.reason) == (second.accelerator, second.reason)
    assert "whether KVM" not in capsys.readouterr().err
    assert bool(first.reason) == first.emulated
    if first.emulated and os.path.exists(accelerator.DEVICE):
        assert re.match("/dev/kvm is", first.reason)
