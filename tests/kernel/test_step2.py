"""Step 2: process 1, and System V objects of its own."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from steps import WAIT, Running, children, lines, namespace, output, run, status

SHELL = ("/bin/sh", "-c")


def test_pid_and_ipc_namespaces_are_new_and_the_rest_is_not() -> None:
    with Running(2) as container:
        for kind in ("uts", "pid", "ipc"):
            assert container.namespace(kind) != namespace("self", kind)
        for kind in ("mnt", "net", "user", "cgroup", "time"):
            assert container.namespace(kind) == namespace("self", kind)


def test_the_command_is_process_1() -> None:
    with Running(2) as container:
        assert container.status("NSpid") == [str(container.pid), "1"]
    assert output(2, "--", *SHELL, "echo $$ $PPID") == "1 0\n"


def test_it_can_neither_name_nor_signal_a_process_of_the_host() -> None:
    script = f"kill -0 {os.getpid()}"
    done = run(2, "--", *SHELL, script)
    assert done.returncode != 0
    assert "No such process" in done.stderr


def test_ps_still_lists_the_hosts_processes() -> None:
    """The namespace changes numbers; /proc is the host's until step 3."""
    assert (
        output(2, "--", "cat", f"/proc/{os.getpid()}/comm") == Path("/proc/self/comm").read_text()
    )


def test_it_inherits_orphans_and_can_reap_them() -> None:
    script = "sh -c 'sh -c \"sleep 0.05; exit 7\" &' ; wait; sh -c 'echo done'"
    assert output(2, "--", *SHELL, script) == "done\n"
    with Running(2, script="sh -c 'sleep 100 & echo $!' >/dev/null; " + WAIT) as container:
        (orphan,) = children(container.pid)
        assert status(orphan, "PPid") == [str(container.pid)]


def test_its_end_is_the_end_of_all_its_processes() -> None:
    script = "sleep 100 & setsid sh -c 'sleep 100 & echo ready; sleep 100' & read line; exit 0"
    with Running(2, script=script) as container:
        inside = _in_namespace(container.namespace("pid"))
        assert len(inside) >= 4
        assert container.end() == 0
        assert [pid for pid in inside if Path(f"/proc/{pid}").exists()] == []


def test_signals_to_process_1_from_inside_are_not_delivered_without_a_handler() -> None:
    assert output(2, "--", *SHELL, "kill -TERM $$; kill -KILL $$; echo alive") == "alive\n"


def test_the_host_can_kill_it() -> None:
    with Running(2) as container:
        os.kill(container.pid, signal.SIGKILL)
        assert container.process.wait(10) == 137


def test_system_v_objects_are_its_own() -> None:
    made = subprocess.run(["ipcmk", "-Q"], capture_output=True, text=True, check=True)
    queue = made.stdout.split()[-1]
    try:
        script = (
            "tail -n +2 /proc/sysvipc/msg | wc -l; ipcmk -Q >/dev/null; wc -l </proc/sysvipc/msg"
        )
        before = Path("/proc/sysvipc/msg").read_text()
        # /proc/sysvipc shows the reader's namespace, whoever mounted /proc.
        assert [int(line) for line in lines(2, "--", *SHELL, script)] == [0, 2]
        assert Path("/proc/sysvipc/msg").read_text() == before
    finally:
        subprocess.run(["ipcrm", "-q", queue], check=True)


@pytest.mark.parametrize("end", ["exit 3", "kill -9 -1; exit 3"])
def test_the_exit_status_is_that_of_process_1(end: str) -> None:
    assert run(2, "--", *SHELL, f"sleep 100 & {end}").returncode == 3


def _in_namespace(name: str) -> list[int]:
    """The host's numbers of the processes in a pid namespace."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if namespace(entry.name, "pid") == name:
                    found.append(int(entry.name))
            except OSError:
                continue
    return found
