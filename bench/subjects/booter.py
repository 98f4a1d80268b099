"""The process behind a VM: it boots one for one program, as a person's own command would.

    python -I booter.py KIND NETWORK TREE run|stay WORD ...

Each line that the program prints is a JSON list here: the text, when it arrived, and what QEMU had
used by then. A last line is an object with the outcome. `stay` ends, with the VM, when standard
input does, and begins with a line that says the guest's address.
"""

import contextlib
import os
import signal
import sys
import threading

from minirt.codec import dumps
from minirt.engine.signals import Interrupted, raise_on_signals
from minirt.errors import MinirtError, render
from minirt.vm import measure
from minirt.vm.guest import Guest
from minirt.vm.job import Job
from minirt.vm.prepare import prepare
from minirt.vm.tap import Tap

TIMEOUT = 120.0  # seconds; a program that is emulated may take many times longer
FOREVER = 1e6


def say(value: object) -> None:
    print(dumps(value), flush=True)  # type: ignore[arg-type]


class Output:
    """The lines of a job, each said once, with its arrival and QEMU's processor time."""

    def __init__(self, guest: Guest, job: Job) -> None:
        self.guest, self.job = guest, job
        self.said = 0

    def more(self) -> bool:
        return bool(self.job.closed) or len(self.job.lines) > self.said

    def follow(self, seconds: float) -> None:
        """To the end of the job; MinirtError when nothing comes within `seconds`."""
        while not self.job.closed:
            if not self.guest.session.wait_until(self.more, seconds):
                self.job.wait(0)  # raises what is wrong
            used = measure.cpu_s(self.guest.pid)
            for text, at in self.job.lines[self.said :]:
                say([text, at, used])
            self.said = len(self.job.lines)


def stay(guest: Guest, words: list[str]) -> None:
    job = guest.launch(words, env={}, open_input=True)
    say({"address": guest.address})
    # The thread waits, so that this process sleeps. Only now: one with a thread should not fork.
    threading.Thread(target=end_with_input, daemon=True).start()
    Output(guest, job).follow(FOREVER)


def end_with_input() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def run(guest: Guest, words: list[str]) -> dict[str, object]:
    """The program's lines, then how it ended, when the VM has."""
    job = guest.launch(words, env={})
    Output(guest, job).follow(TIMEOUT)
    guest.shut_down()  # here, where a failure to do so is an error and not a warning
    phases = {name: list(interval) for name, interval in guest.phases().items()}
    return {"status": job.status, "phases": phases, "retries": guest.retries}


def main(kind: str, network: str, tree: str, how: str, *words: str) -> None:
    with contextlib.ExitStack() as stack:
        tap = stack.enter_context(Tap()) if network == "tap" else None
        machine = prepare([tree], kind=kind, tap=tap)
        guest = stack.enter_context(Guest(machine, hostname="bench"))
        if how == "run":
            say(run(guest, list(words)))
        else:
            stay(guest, list(words))  # until a signal, whose error has the VM killed


if __name__ == "__main__":
    raise_on_signals()
    try:
        main(*sys.argv[1:])
    except Interrupted as stop:
        sys.exit(stop.exit_code)
    except MinirtError as error:
        print(render(error), file=sys.stderr)
        sys.exit(error.exit_code)
