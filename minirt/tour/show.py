"""One step of the tour: run its scenes as a student would type them, and judge what was seen."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass

from minirt.check import obstacles, probes
from minirt.host import elevate
from minirt.host.progress import Progress
from minirt.tour.demos import Seen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from minirt.check.machine import Facts
    from minirt.tour.demos import Demo, Scene

SHOWN, IMPOSSIBLE, FAILED = "shown", "not possible here", "failed"
OWN_ERROR = 125  # the exit status of a step when it was minirt that failed, not the command
NEED_ROOT = (4, 5)  # a bridge, a cgroup: no user namespace gives these
NOT_FOUND = 127
PATIENCE = 120.0  # seconds for one scene


@dataclass(frozen=True)
class Verdict:
    """How one step ended, why, and what to try."""

    step: int
    outcome: str
    why: str
    remedy: str = ""


class Stage:
    """Where the scenes run: the machine, who may become root, and the directory for traces."""

    def __init__(self, facts: Facts, traces: str) -> None:
        self.facts = facts
        self.traces = traces
        self.rootless = not facts.root and not probes.failure("user")
        self.sudo = elevate.prefix()

    def perform(self, demo: Demo) -> Verdict:
        """Run the scenes, printing each; look for what is in the way only if they fail."""
        elevated = not self.rootless or demo.step in NEED_ROOT
        seen: list[Seen] = []
        for scene in demo.scenes if self.sudo is not None or not elevated else ():
            prefix = (self.sudo or []) if elevated and scene.step else []
            argv = [*prefix, *self._argv(scene, demo.step)]
            seen.append(_run(argv, f"running step {demo.step}"))
            if scene.step and seen[-1].status == OWN_ERROR:
                break
        return self._judge(demo, seen)

    def _argv(self, scene: Scene, step: int) -> list[str]:
        quiet = ["--quiet"] if scene.quiet else []
        trace = ["--trace", f"{self.traces}/step{step}.jsonl"] if scene.step == step else []
        return _typed(scene, *quiet, *trace)

    def _judge(self, demo: Demo, seen: Sequence[Seen]) -> Verdict:
        if len(seen) == len(demo.scenes) and demo.check(seen):
            return Verdict(demo.step, SHOWN, demo.shows)
        # Nothing but minirt's own error can be this machine's fault.
        refused = not seen or any(one.status == OWN_ERROR for one in seen)
        obstacle = obstacles.find(demo.step, self.facts) if refused else None
        if obstacle is None:
            return Verdict(demo.step, FAILED, "this is not what was to be seen")
        scene = next(scene for scene in demo.scenes if scene.step == demo.step)
        command = f"run it with {shlex.join(['sudo', *_typed(scene)])}"
        remedy = obstacle.remedy.replace(obstacles.SUDO, command)
        return Verdict(demo.step, IMPOSSIBLE, obstacle.why, remedy)


def _typed(scene: Scene, *options: str) -> list[str]:
    """The command as a student types it."""
    if not scene.step:
        return list(scene.command)
    program = [_interpreter(), "-m", f"minirt.step{scene.step}"]
    return [*program, *options, *scene.options, "--", *scene.command]


def _interpreter() -> str:
    """This Python, as short as it can be typed here."""
    here = os.getcwd() + "/"
    return sys.executable.removeprefix(here)


def _run(argv: Sequence[str], progress: str) -> Seen:
    """Run one command, print it and what it printed, as on a terminal."""
    print(f"  $ {shlex.join(argv)}", flush=True)
    if not shutil.which(argv[0]):
        print(f"  {argv[0]} is not installed here")
        return Seen("", NOT_FOUND)
    with Progress(progress), subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace",
    ) as process:  # fmt: skip
        try:
            output, _ = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.terminate()
            output, _ = process.communicate()
        except KeyboardInterrupt:
            process.wait()  # it got the same signal, and cleans up
            raise
    for line in output.splitlines():
        print(f"  {line}")
    return Seen(output.rstrip("\n"), process.returncode)
