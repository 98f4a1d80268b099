"""Step 1: the UTS namespace, and what every step does with a command."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from steps import PYTHON, Running, lines, namespace, output, run

SHELL = ("/bin/sh", "-c")
OTHERS = ("pid", "ipc", "mnt", "net", "user", "cgroup", "time")


def test_the_container_has_a_host_name_of_its_own() -> None:
    outside = os.uname().nodename
    assert output(1, "--hostname", "web1", "--", "uname", "-n") == "web1\n"
    assert os.uname().nodename == outside


def test_only_the_uts_namespace_is_new() -> None:
    with Running(1) as container:
        assert container.namespace("uts") != namespace("self", "uts")
        for kind in OTHERS:
            assert container.namespace(kind) == namespace("self", kind)


def test_the_name_can_be_changed_inside_only() -> None:
    outside = os.uname().nodename
    script = "hostname web2 && uname -n"
    assert output(1, "--hostname", "web1", "--", *SHELL, script) == "web2\n"
    assert os.uname().nodename == outside


def test_without_an_option_the_name_says_which_step_it_is() -> None:
    first, second = (output(1, "--", "uname", "-n") for _ in range(2))
    assert first.startswith("step1-")
    assert first != second


def test_it_works_on_the_hosts_files_as_the_banner_says(tmp_path: Path) -> None:
    script = f"touch {tmp_path}/made"
    command = [*PYTHON, "-m", "minirt.step1", "--no-trace", "--", *SHELL, script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "this step still works on the machine's real files" in done.stderr
    assert (tmp_path / "made").exists()


def test_the_command_gets_its_words_as_they_are() -> None:
    words = ["a b", "", "--hostname", "$HOME", "ü"]
    assert output(1, "--", "printf", "%s|", *words) == "".join(f"{word}|" for word in words)


def test_the_double_dash_may_be_left_out() -> None:
    assert output(1, "--hostname=web1", "uname", "-n") == "web1\n"


def test_environment_directory_and_umask_are_the_callers(tmp_path: Path) -> None:
    environment = {**os.environ, "FRUIT": "apple pie"}
    script = 'echo "$FRUIT"; pwd; umask'
    shown = lines(1, "--", *SHELL, script, cwd=tmp_path, env=environment, umask=0o027)
    assert shown == ["apple pie", str(tmp_path), "0027"]


@pytest.mark.parametrize("step", [1, 3])
def test_input_and_output_pass_through(step: int) -> None:
    text = "".join(f"line {number}\n" for number in range(50_000))
    assert output(step, "--", "cat", stdin=text) == text


@pytest.mark.parametrize("step", [1, 2, 3, 6])
def test_the_exit_status_is_the_commands_own(step: int) -> None:
    network = ("--network", "none") if step > 3 else ()
    for status in (0, 1, 77, 125, 255):
        done = run(step, *network, "--", *SHELL, f"exit {status}")
        assert (done.returncode, done.stderr) == (status, "")


@pytest.mark.parametrize("step", [1, 2, 3, 6])
@pytest.mark.parametrize("signal", [6, 9, 15])
def test_a_signal_ends_as_128_and_its_number(step: int, signal: int) -> None:
    """Of a child: pid 1 of a namespace cannot be ended by its own signals."""
    network = ("--network", "none") if step > 3 else ()
    done = run(step, *network, "--", *SHELL, f"sh -c 'kill -{signal} $$'; exit $?")
    assert done.returncode == 128 + signal


def test_a_signal_to_the_command_itself_ends_as_128_and_its_number() -> None:
    assert run(1, "--", *SHELL, "kill -9 $$").returncode == 137


@pytest.mark.parametrize("step", [1, 3])
def test_the_command_starts_with_default_signals_and_no_extra_descriptors(step: int) -> None:
    script = "grep -E '^Sig(Blk|Ign)' /proc/self/status; ls /proc/self/fd"
    shown = lines(step, "--", *SHELL, script)
    assert [line.split()[1] for line in shown[:2]] == ["0" * 16] * 2
    assert shown[2:] == ["0", "1", "2", "3"]  # 3 is the directory that ls reads


def test_a_descriptor_that_the_caller_left_open_does_not_get_in(tmp_path: Path) -> None:
    secret = os.open(tmp_path / "secret", os.O_RDWR | os.O_CREAT)
    try:
        shown = lines(3, "--", "ls", "/proc/self/fd", pass_fds=(secret,))
    finally:
        os.close(secret)
    assert shown == ["0", "1", "2", "3"]


@pytest.mark.parametrize("step", [1, 3])
def test_the_command_leads_a_session_of_its_own(step: int) -> None:
    """Signals for the caller's group reach the runtime, which passes them on once."""
    with Running(step) as container:
        assert os.getsid(container.pid) == container.pid


def test_a_process_it_leaves_behind_is_not_the_steps_to_end() -> None:
    """What step 2 brings: there the first process takes all others with it."""
    script = "sleep 60 >/dev/null 2>&1 & echo $!"
    pid = int(output(1, "--", *SHELL, script))
    assert Path(f"/proc/{pid}").exists()
    os.kill(pid, 9)
