"""Crash the kernel that containers share: all of them end, and a second VM's goes on.

    python -m vm.experiments.shared_kernel

Two guests run three containers each: processes in PID, mount, UTS, IPC and network namespaces of
their own, with /proc/sys and /proc/sysrq-trigger read-only, made by busybox, because the image has
no Python for minirt itself. One container of the first guest is privileged: that file is writable
there, as `docker run --privileged` leaves it. It writes a `c` into it, and its kernel panics.

Nothing of this happens on your machine: the script that writes the letter compares the kernel's
boot_id with this machine's first, and refuses to go on where they are the same.
"""

from __future__ import annotations

import sys
from pathlib import Path
from time import monotonic_ns
from typing import TYPE_CHECKING

from minirt.errors import MinirtError
from minirt.images import build
from minirt.vm.guest import Guest
from minirt.vm.prepare import prepare
from vm.experiments.timeline import Timeline, main

if TYPE_CHECKING:
    from minirt.vm.job import Job

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
TRIGGER = "/proc/sysrq-trigger"
NAMES = ("web", "database", "privileged")
PATIENCE = 20.0  # seconds
CONTAINER = """
exec busybox unshare --fork --pid --mount --uts --ipc --net --mount-proc sh -c '
hostname "$1"
if [ "$1" != privileged ]; then
    for path in /proc/sys /proc/sysrq-trigger; do
        mount -o bind "$path" "$path" && mount -o remount,bind,ro "$path" || exit 1
    done
fi
shift
exec "$@"
' sh "$@"
"""
# HOST'S-BOOT-ID TRIGGER: what it writes takes the machine down that it runs on.
CRASH = f"""
mine=$(cat {BOOT_ID}) && [ -n "$mine" ] || {{ echo "refused: this kernel cannot be told"; exit 1; }}
[ "$mine" != "$1" ] || {{ echo "refused: this is not a guest's kernel"; exit 1; }}
echo c >"$2" || {{ echo "refused by the kernel: $2 is read-only"; exit 1; }}
"""
# NAME HOST'S-BOOT-ID TRIGGER: works, until somebody leaves it an order.
WORK = f"""
echo up
while :; do
    sleep 1
    [ ! -e "/tmp/$1" ] || {{ rm "/tmp/$1"; (set -- "$2" "$3"; {CRASH}) 2>/dev/null; }}
    echo alive
done
"""


def experiment() -> None:
    """Two guests, six containers, one letter."""
    machine = prepare(build.ensure().layers, channels=len(NAMES) + 1)
    timeline = Timeline()
    how = f"emulated: {machine.reason}" if machine.reason else "with KVM"
    timeline.say("host", f"boots two guests ({how})")
    with Guest(machine, hostname="first") as first, Guest(machine, hostname="second") as second:
        guests = {"first": first, "second": second}
        running = {name: start_containers(name, guest, timeline) for name, guest in guests.items()}
        for name in ("web", "privileged"):
            order_crash(first, name, running["first"][name], timeline)
        for name, jobs in running.items():
            look_after(name, guests[name], jobs, timeline)


def start_containers(guest_name: str, guest: Guest, timeline: Timeline) -> dict[str, Job]:
    """All of NAMES, once they run."""
    release = guest.session.record.release
    timeline.say(guest_name, f"has booted its own kernel, {release}")
    boot_id = BOOT_ID.read_text(encoding="ascii").strip()
    jobs = {}
    for name in NAMES:
        work = ["sh", "-c", WORK, "sh", name, boot_id, TRIGGER]
        jobs[name] = guest.launch(["sh", "-c", CONTAINER, "sh", name, *work])
        line, at = jobs[name].line(PATIENCE)
        timeline.say(guest_name, f"container {name} is {line}", at)
    return jobs


def order_crash(guest: Guest, name: str, job: Job, timeline: Timeline) -> None:
    """Have the container `name` of the first guest write the letter, and say what came of it."""
    timeline.say("first", f'container {name} writes "c" into {TRIGGER}')
    guest.run(["touch", f"/tmp/{name}"])  # noqa: S108  (the guest's)
    try:
        line, at = job.line(PATIENCE)
        while line == "alive":
            line, at = job.line(PATIENCE)
        timeline.say("first", f"container {name}: {line}", at)
    except MinirtError:
        marks, words = guest.marks(), guest.session.record.last_words()
        if "exit" not in marks:
            raise
        timeline.say("first", words, marks["exit"])


def look_after(guest_name: str, guest: Guest, jobs: dict[str, Job], timeline: Timeline) -> None:
    """Whether each container still prints; what it had printed before does not count."""
    since = monotonic_ns()
    for name, job in jobs.items():
        try:
            at = 0
            while at < since:
                _line, at = job.line(PATIENCE)
            timeline.say(guest_name, f"container {name} is alive", at)
        except MinirtError:
            if "exit" not in guest.marks():
                raise
            timeline.say(guest_name, f"container {name} has ended with its kernel")


if __name__ == "__main__":
    sys.exit(main(experiment, __doc__ or ""))
