"""Run one command in a cgroup by the mechanisms alone; tell what was seen from outside.

A program of its own, because a process of pytest's size is slow to clone. Its one argument is a
JSON object:

    path, resources   of the cgroup to make; or
    join              directories of cgroups to join
    command           what to run; its output is reported
    within            the directory of a cgroup to be in from the start
    user              the uid and gid to be from the start
    hold              run until the command has written a line, look, then close its input
    keep              leave the cgroup when done
    die               be killed when the directories are recorded, before they are made
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, NoReturn

from minirt.context import Context
from minirt.errors import MinirtError, render
from minirt.linux.cgroup_events import events
from minirt.linux.clone import clone3
from minirt.linux.ending import wait
from minirt.mechanisms.cgroup import Cgroup
from minirt.mechanisms.cgroup_join import CgroupJoin
from minirt.mechanisms.cgroup_ns import CgroupNamespace

if TYPE_CHECKING:
    from minirt.mechanism import Mechanism

    Report = dict[str, Any]


def drive(**order: object) -> Report:
    """Run this file on `order`; what it reports."""
    return report_of(spawn(**order))


def spawn(**order: object) -> subprocess.Popen[str]:
    argv = [sys.executable, "-I", __file__, json.dumps(order)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)


def report_of(driver: subprocess.Popen[str]) -> Report:
    output, _ = driver.communicate(timeout=60)
    report: Report = json.loads(output)
    return report


def main(order: Report) -> Report:
    if "within" in order:
        with open(f"{order['within']}/cgroup.procs", "w") as procs:
            procs.write("0")
    if "user" in order:
        os.setgroups([])
        os.setresgid(*[order["user"]] * 3)
        os.setresuid(*[order["user"]] * 3)
    ctx = Context("driver", "/", "00000000")
    seen: Report = {"warnings": [], "made_when_recorded": []}
    ctx.warn = seen["warnings"].append
    ctx.save = lambda: recorded(order, ctx, seen)
    plan: list[Mechanism] = []
    try:
        plan = plan_of(order)
        observe(order, plan, ctx, seen)
    except MinirtError as error:
        seen["error"] = {**error.to_fields(), "text": render(error)}
    seen["directories"] = list(directories(ctx))
    seen["events"] = events(seen["directories"])
    for mechanism in [] if order.get("keep") else [*plan[::-1], *plan[::-1]]:
        mechanism.teardown(ctx)  # the second time there is nothing to do
    seen["left"] = [d for d in seen["directories"] if os.path.exists(d)]
    return seen


def plan_of(order: Report) -> list[Mechanism]:
    if "join" in order:
        return [CgroupJoin(order["join"]), CgroupNamespace()]
    cgroup = Cgroup(order["path"], order["resources"])
    # An ordinary user needs a user namespace to make another one.
    return [cgroup] if "user" in order else [cgroup, CgroupNamespace()]


def directories(ctx: Context) -> list[str]:
    recorded = ctx.created.get("cgroup", [])
    assert isinstance(recorded, list)
    return recorded


def recorded(order: Report, ctx: Context, seen: Report) -> None:
    seen["made_when_recorded"] = [d for d in directories(ctx) if os.path.exists(d)]
    if order.get("die"):
        print(json.dumps(ctx.created), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)


def observe(order: Report, plan: list[Mechanism], ctx: Context, seen: Report) -> None:
    started = time.monotonic()
    pidfd, stdin, stdout = launch(plan, ctx, order["command"], seen)
    if order.get("hold"):
        os.read(stdout, 4096)
        seen["pid"] = ctx.pid
        seen["files"] = {d: listing(d) for d in order.get("join") or directories(ctx)}
    os.close(stdin)
    seen["status"] = wait(pidfd)
    seen["seconds"] = time.monotonic() - started
    seen["output"] = written(stdout)


def launch(
    plan: list[Mechanism], ctx: Context, command: list[str], seen: Report
) -> tuple[int, int, int]:
    """The phases as the engine performs them; (pidfd, the command's input and output)."""
    for mechanism in plan:
        mechanism.prepare(ctx)
    go, stdin, stdout = os.pipe(), os.pipe(), os.pipe()
    ctx.pid, pidfd = clone3(0, cgroup_fd=ctx.cgroup_fd)
    if ctx.pid == 0:
        os.close(go[1])
        os.read(go[0], 1)
        enter(plan, ctx, command, (stdin[0], stdout[1]))
    for mechanism in plan:
        mechanism.attach(ctx)
    seen["born_in"] = text(f"/proc/{ctx.pid}/cgroup")
    for fd in (*go, stdin[0], stdout[1]):
        os.close(fd)
    return pidfd, stdin[1], stdout[0]


def enter(
    plan: list[Mechanism], ctx: Context, command: list[str], streams: tuple[int, int]
) -> NoReturn:
    try:
        for mechanism in plan:
            mechanism.enter(ctx)
        for number, fd in enumerate(streams):
            os.dup2(fd, number)
        os.execvp(command[0], command)
    except (MinirtError, OSError) as error:
        print(error, file=sys.stderr)
    finally:
        os._exit(99)


def written(pipe: int) -> str:
    """What is in the pipe; a process left running may hold its other end open."""
    os.set_blocking(pipe, False)
    try:
        return os.read(pipe, 65536).decode()
    except BlockingIOError:
        return ""


def listing(directory: str) -> dict[str, str]:
    """The files of the cgroup that can be read."""
    found = {}
    for name in os.listdir(directory):
        try:
            found[name] = text(f"{directory}/{name}").strip()
        except OSError:
            continue
    return found


def text(path: str) -> str:
    with open(path) as file:
        return file.read()


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
