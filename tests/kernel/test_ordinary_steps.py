"""The steps as an ordinary user runs them: in a user namespace of their own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from ordinary import Ordinary

from minirt.linux import cgroups

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

USER = 65534
SHELL = ("--", "/bin/sh", "-c")


@pytest.fixture(scope="module")
def user(playground: Path) -> Ordinary:
    directory = playground / "ordinary"
    directory.mkdir(mode=0o755)
    return Ordinary(directory, USER)


def run(user: Ordinary, step: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a step; nothing may be left in the user's own state directory."""
    state = f"{user.home}/state"
    done = user.run("-I", "-m", f"minirt.step{step}", "--no-trace", *arguments, MINIRT_STATE=state)
    assert not os.path.exists(f"{state}/containers") or os.listdir(f"{state}/containers") == []
    return done


def lines(user: Ordinary, step: int, *arguments: str) -> list[str]:
    done = run(user, step, "--quiet", *arguments)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout.splitlines()


@pytest.fixture(scope="module", autouse=True)
def _image(user: Ordinary) -> None:
    """The first container builds the image, which it says."""
    user.run("-I", "-m", "minirt.images")


def test_step_1_has_a_name_of_its_own(user: Ordinary) -> None:
    assert lines(user, 1, "--hostname", "web1", *SHELL, "uname -n; id -u") == ["web1", "0"]


def test_step_2_is_process_1(user: Ordinary) -> None:
    script = (
        f"echo $$; kill -0 {os.getpid()} 2>/dev/null || echo gone; cat /proc/sysvipc/msg | wc -l"
    )
    assert lines(user, 2, *SHELL, script) == ["1", "gone", "1"]


def test_step_3_has_a_root_of_its_own(user: Ordinary) -> None:
    script = (
        "id -u; echo x >/new; rm /bin/ls; stat -c '%u %a' / /new; echo x >/dev/null; cd /proc/1"
    )
    assert lines(user, 3, *SHELL, script) == ["0", "0 755", "0 644"]
    assert lines(user, 3, *SHELL, "ls -d /new /bin/ls 2>/dev/null; exit 0") == ["/bin/ls"]


def test_step_3_shows_a_volume_of_the_users_and_its_files_are_the_users(user: Ordinary) -> None:
    volume = user.home / "volume"
    volume.mkdir()
    os.chown(volume, USER, USER)
    lines(user, 3, "--volume", f"{volume}:/data", *SHELL, "touch /data/new")
    assert (volume / "new").stat().st_uid == USER
    done = run(user, 3, "--quiet", "--volume", f"{volume}:/data:ro", *SHELL, "touch /data/second")
    assert "Read-only file system" in done.stderr


def test_step_6_has_the_capabilities_the_filter_and_lo(user: Ordinary) -> None:
    caps = "grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status"
    script = f"{caps}; ip -o link; sysctl kernel.hostname"
    shown = lines(user, 6, "--hostname", "web1", *SHELL, script)
    assert [line.split()[1] for line in shown[:3]] == ["00000000a80425fb", "1", "2"]
    assert "LOOPBACK,UP" in shown[3]
    assert shown[4:] == ["kernel.hostname = web1"]


def test_what_is_left_out_is_named(user: Ordinary) -> None:
    done = run(user, 6, "--", "true")
    assert done.returncode == 0
    assert "you are not root" in done.stderr
    assert "left out, since they need root: bridge, cgroup" in done.stderr


def test_what_was_asked_for_is_not_left_out_in_silence(user: Ordinary) -> None:
    done = run(user, 6, "--quiet", "--network", "bridge", "--", "true")
    assert done.returncode == 125
    assert "--network: the bridge needs root" in done.stderr
    done = run(user, 6, "--quiet", "--publish", "8080:80", "--", "true")
    assert done.returncode == 125


@pytest.mark.skipif(
    [h.version for h in cgroups.hierarchies()] == [2], reason="where all may be delegated"
)
def test_a_limit_needs_a_cgroup_that_the_user_may_have(user: Ordinary) -> None:
    done = run(user, 6, "--quiet", "--memory", "64m", "--", "true")
    assert done.returncode == 125
    assert "Delegate=yes" in done.stderr or "root" in done.stderr


@pytest.mark.parametrize("step", [1, 3, 6])
def test_the_exit_status_is_the_commands(user: Ordinary, step: int) -> None:
    assert run(user, step, "--quiet", *SHELL, "exit 77").returncode == 77
    assert run(user, step, "--quiet", "--", "no-such-program").returncode == 127


def test_it_cannot_become_another_user(user: Ordinary) -> None:
    """Only one id is mapped, so a set-user-ID program changes nothing."""
    done = run(user, 3, "--quiet", *SHELL, "chown 1:1 /etc/passwd; su nobody; exit 0")
    assert done.returncode == 0
    assert "Invalid argument" in done.stderr


def test_what_a_killed_runtime_left_is_removed_by_the_next(user: Ordinary) -> None:
    state = f"{user.home}/state"
    script = "mkdir -p /a/b; chmod 0 /a; rm -r /etc; echo ready; sleep 60"
    words = ("-I", "-m", "minirt.step3", "--quiet", *SHELL, script)
    with user.start(*words, MINIRT_STATE=state) as runtime:
        assert runtime.stdout.readline() == "ready\n"
        runtime.kill()
        assert runtime.stdout.read() == ""
    assert len(os.listdir(f"{state}/containers")) == 1
    assert lines(user, 1, "--", "true") == []


def test_a_state_directory_of_roots_is_refused(user: Ordinary, playground: Path) -> None:
    done = user.run(
        "-I", "-m", "minirt.step1", "--quiet", "--", "true", MINIRT_STATE=str(playground / "state")
    )
    assert done.returncode == 125
    assert "set MINIRT_STATE" in done.stderr
    assert "Traceback" not in done.stderr
