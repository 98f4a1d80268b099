"""The shell commands of step 6 do what the mechanisms do."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from confined import confined, open_directory

from minirt.linux import caps
from minirt.mechanisms.bounding_set import BoundingSet
from minirt.mechanisms.capabilities import Capabilities
from minirt.mechanisms.identity import Identity
from minirt.mechanisms.no_new_privs import NoNewPrivs
from minirt.mechanisms.rlimits import Rlimits
from minirt.mechanisms.seccomp import Seccomp
from minirt.mechanisms.user import User
from minirt.seccomp.compiler import compile_profile
from minirt.seccomp.profile import default

if TYPE_CHECKING:
    from minirt.mechanism import Mechanism

KEPT = caps.DEFAULT
SHOWN = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Uid", "Gid", "Groups")


def by_hand(script: str) -> str:
    done = subprocess.run(["sh", "-eu"], input=script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("uid", [0, 1000])
def test_setpriv_makes_the_same_process(uid: int) -> None:
    plan: tuple[Mechanism, ...] = (
        BoundingSet(KEPT),
        Identity(uid, uid, (7,), 0o027),
        Capabilities(KEPT, KEPT, KEPT),
        Rlimits((("RLIMIT_NOFILE", 64, 128),)),
        NoNewPrivs(),
    )
    lines = [line for mechanism in plan for line in mechanism.by_hand()]
    script = "\n".join(["privs=", *lines, "exec setpriv $privs cat /proc/self/status"])
    status = dict(line.split(":\t", 1) for line in by_hand(script).splitlines() if ":\t" in line)
    with confined(*plan) as process:
        for name in SHOWN:
            assert status[name].split() == process.status(name).split(), name
        assert status["Umask"] == process.status("Umask")


def test_limits_by_hand_are_those_of_the_shell() -> None:
    (line,) = Rlimits((("RLIMIT_NOFILE", 64, 128),)).by_hand()
    assert by_hand(f"{line}\nulimit -n\nulimit -Hn").split() == ["64", "128"]


def test_maps_by_hand_make_root_inside() -> None:
    maps = ((0, 100_000, 65_536),)
    script = "\n".join(
        [
            "unshare --user sleep 60 & PID=$!",
            'until [ "$(readlink /proc/$PID/ns/user)" != "$(readlink /proc/self/ns/user)" ]',
            "do :; done",
            *User(maps, maps).by_hand(),
            "nsenter --user --target $PID sh -c 'cat /proc/self/uid_map; id -u'",
            "kill $PID",
        ]
    )
    assert by_hand(script).split() == ["0", "100000", "65536", "0"]


def test_the_filter_by_hand_is_the_filter() -> None:
    condition, compile_it, use_it = Seccomp(lambda: b"").by_hand()
    assert condition.startswith("if setpriv --help | grep")
    with open_directory() as directory:
        by_hand(f"dir={directory}\n{compile_it}")
        with open(f"{directory}/seccomp.bpf", "rb") as program:
            assert program.read() == compile_profile(default(KEPT))
        usage = subprocess.run(["setpriv", "--help"], capture_output=True, text=True, check=True)
        if "--seccomp-filter" in usage.stdout:
            run = "exec setpriv $privs cat /proc/self/status"
            assert "Seccomp:\t2" in by_hand(f"dir={directory}\nprivs=\n{use_it[:-4]}\n{run}")
