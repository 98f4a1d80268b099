"""exec: one more program in a container that runs, a second plan on the same engine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from steps import PYTHON, namespace

DRIVER = [*PYTHON, str(Path(__file__).with_name("exec_driver.py"))]
NONE = ("--network", "none")


def execute(step: int, *words: str) -> list[str]:
    ran = subprocess.run(
        [*DRIVER, str(step), *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


def shell(step: int, script: str, *options: str) -> list[str]:
    return execute(step, *options, "--", "sh", "-c", script)


@pytest.mark.parametrize("options", [NONE, (*NONE, "--userns")])
def test_it_is_in_every_namespace_of_the_container(options: tuple[str, ...]) -> None:
    kinds = ("cgroup", "ipc", "mnt", "net", "pid", "uts", "user")
    script = "for n in 1 $$; do for k in {}; do readlink /proc/$n/ns/$k; done; done"
    *found, status = shell(6, script.format(" ".join(kinds)), *options)
    assert status == "status 0"
    assert found[: len(kinds)] == found[len(kinds) :]
    assert found[0] != namespace("self", "cgroup")
    assert (found[len(kinds) - 1] != namespace("self", "user")) == ("--userns" in options)


def test_it_has_no_more_rights_than_the_containers_own_program() -> None:
    wanted = "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/{}/status"
    *found, _ = shell(6, f"{wanted.format(1)}; {wanted.format('self')}", *NONE)
    assert found[: len(found) // 2] == found[len(found) // 2 :]
    assert "Seccomp:\t2" in found


def test_it_is_in_the_cgroup_of_the_container_and_its_limits() -> None:
    *found, _ = shell(5, "cat /proc/1/cgroup; cat /proc/self/cgroup", *NONE, "--pids", "20")
    assert found[: len(found) // 2] == found[len(found) // 2 :]
    *_, status = shell(5, "i=0; while [ $i -lt 30 ]; do sleep 9 & i=$((i+1)); done", *NONE,
                       "--pids", "20")  # fmt: skip
    assert status != "status 0"


def test_it_is_a_child_of_nobody_inside_and_sees_the_containers_processes() -> None:
    *found, status = shell(6, "ps -o pid,args | grep -c '[s]leep 1000'; grep PPid /proc/$$/status",
                           *NONE)  # fmt: skip
    assert (found, status) == (["1", "PPid:\t0"], "status 0")


def test_its_exit_status_is_its_own() -> None:
    assert shell(6, "exit 9", *NONE) == ["status 9"]
    assert shell(6, "kill -9 $$", *NONE) == ["status 137"]


def test_nothing_of_the_host_comes_along() -> None:
    *found, _ = shell(6, "ls -l /proc/self/fd | grep -c -- '->'; env | sort", *NONE)
    assert int(found[0]) <= 4  # 0, 1, 2, and the directory that ls reads
    assert not [line for line in found if line.startswith(("PYTHON", "SUDO", "SHELL="))]


def test_a_program_that_is_not_there_says_so() -> None:
    assert execute(6, *NONE, "--", "/no/such/program") == [
        "CommandError: /no/such/program: no such file or directory"
    ]
