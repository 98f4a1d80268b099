"""Every moment in the life of a step 6 container at which something can happen to its runtime."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from network_world import World
from steps import PYTHON, Running, argv, state_root

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

REMOVE_ALL = (
    "from minirt.linux.command import run; from minirt.networks.network import *; remove_all(run)"
)
INTERRUPTED = [*PYTHON, str(Path(__file__).with_name("interrupted.py"))]
PORT = "8080"
OPTIONS = ("--publish", f"{PORT}:80", "--memory", "64m", "--pids", "64")
HOST = (
    "cgroup.prepare", "nat.prepare", "etc_files.prepare", "overlay.prepare", "mounts.prepare",
    "seccomp.prepare", "clone3", "cgroup.attach", "bridge.attach", "veth.attach", "nat.attach",
    "names.attach", "bounding_set.attach",
)  # fmt: skip
INIT = (
    "cgroup.enter", "cgroup_ns.enter", "uts.enter", "loopback.enter", "mnt.enter",
    "overlay.enter", "mounts.enter", "devices.enter", "pivot.seal", "masked_paths.seal",
    "bounding_set.seal", "identity.seal", "capabilities.seal", "no_new_privs.seal",
    "seccomp.start", "exec",
)  # fmt: skip
TEARDOWN = ("names.teardown", "nat.teardown", "veth.teardown", "cgroup.teardown")
SAVES = 5  # how often state.json is written until the program runs
UNTIL_IT_RUNS = (
    *(f"end:{span}" for span in (*HOST, *INIT)),
    *(f"save:{number}" for number in range(1, SAVES + 1)),
)
AT_THE_END = tuple(f"{event}:{span}" for span in TEARDOWN for event in ("start", "end"))


class Host(World):
    """A host of its own on which step 6 is interrupted."""

    def interrupt(
        self, moment: str, signal: int, *command: str, options: Sequence[str] = OPTIONS
    ) -> subprocess.CompletedProcess[str]:
        words = [moment, str(signal), "6", "--quiet", *options, "--", *command]
        return subprocess.run(
            self.host.argv(*INTERRUPTED, *words),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    def step_6(self, *arguments: str) -> list[str]:
        return self.host.argv(*argv(6, *arguments))

    def running(self, script: str) -> Running:
        return Running(6, *OPTIONS, script=script, wrapper=self.host.argv())

    def next_run(self) -> None:
        """What tidies up: the start of any further step."""
        self.host.run(*PYTHON, "-m", "minirt.step1", "--quiet", "--", "true")

    def left(self) -> list[str]:
        """What a container of step 6 has left on this host, besides what stays by design."""
        found = [f"link {name}" for name in self.links() - {"lo", "up0", "minirt0"}]
        found += [
            line for line in self.host.run("nft", "list", "ruleset").splitlines() if PORT in line
        ]
        found += [f"state {name}" for name in os.listdir(state_root() / "containers")]
        return found + [f"address {key}" for key in self.register_of_the_bridge()]

    def register_of_the_bridge(self) -> dict[str, object]:
        path = "/run/minirt/networks/$(stat -Lc %i /proc/self/ns/net).json"
        shown = self.host.shell(f"cat {path} 2>/dev/null || echo '{{}}'")
        return json.loads(shown).get("endpoints", {})

    def close(self) -> None:
        self.host.run(*PYTHON, "-c", REMOVE_ALL)
        super().close()


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    """One host for all tests of a module: making it takes longer than a container."""
    made = Host()
    yield made
    made.close()
