"""A step that is sent a signal at one exact moment of its life.

    python -I interrupted.py MOMENT SIGNAL STEP [ARGUMENTS ...]

MOMENT is start:SPAN or end:SPAN, on the host or in the container's init, or save:N, the Nth time
that state.json is to be written. With "child" the signal goes to init, as soon as it is born; with
list:FILE there is none, and every moment is written to FILE. All else is the step's own program,
or with "oci" for a step minirt-oci.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING

from minirt import spans
from minirt.engine import birth
from minirt.oci import call, program
from minirt.spans import Page, Recorder
from minirt.state import State
from minirt.stepping import step as steps

if TYPE_CHECKING:
    from typing import NoReturn

    from minirt.spans import Span


class Killer:
    """Sends the signal to the runtime: at once, or for init, which cannot name the runtime."""

    def __init__(self, moment: str, signal: int) -> None:
        self.moment = moment
        self.signal = signal
        self.runtime = os.getpid()
        self.saves = 0
        self.log = open(moment[5:], "a", buffering=1) if moment.startswith("list:") else None  # noqa: SIM115
        asked, self.ask = os.pipe()
        self.done, done = os.pipe()
        if os.fork() == 0:
            os.close(self.ask)
            self.serve(asked, done)
        os.close(asked)
        os.close(done)

    def serve(self, asked: int, done: int) -> NoReturn:
        if os.read(asked, 1):
            os.kill(self.runtime, self.signal)
            os.write(done, b".")
        os._exit(0)

    def born(self, init: int) -> None:
        if self.moment == "child":
            os.kill(init, self.signal)

    def passed(self, moment: str) -> None:
        if self.log is not None:
            self.log.write(f"{moment}\n")
        if moment != self.moment:
            return
        if os.getpid() == self.runtime:
            os.kill(self.runtime, self.signal)
        else:
            os.write(self.ask, b".")
            os.read(self.done, 1)


def watch(killer: Killer) -> None:
    """Report what happens to `killer`, by the recorder, the shared page and the state file."""

    class WatchedRecorder(Recorder):
        def __init__(self, *context: str) -> None:
            super().__init__(*context)
            self.sink = self.report

        def report(self, event: str, span: Span) -> None:
            if span.side == "host":
                killer.passed(f"{event}:{span.name}")

    class WatchedPage(Page):
        def begin(self, name: str) -> None:
            super().begin(name)
            killer.passed(f"start:{name}")

        def end(self, name: str, errno: int = 0) -> None:
            super().end(name, errno)
            killer.passed(f"end:{name}")

    def save(state: State, write=State.save) -> None:  # noqa: ANN001
        killer.saves += 1
        killer.passed(f"save:{killer.saves}")
        write(state)

    def launch(*arguments, launch=birth.launch):  # noqa: ANN002, ANN202, ANN001
        pid, pidfd = launch(*arguments)
        killer.born(pid)
        return pid, pidfd

    birth.launch = launch
    steps.Recorder = WatchedRecorder  # type: ignore[misc]
    call.Untraced = WatchedRecorder  # type: ignore[misc]
    spans.Page = WatchedPage  # type: ignore[misc]
    State.save = save  # type: ignore[method-assign]


def main(moment: str, signal: str, step: str, *arguments: str) -> None:
    watch(Killer(moment, int(signal)))
    if step == "oci":
        sys.exit(program.perform(arguments))
    sys.argv = [f"step{step}", *arguments]
    steps.main(importlib.import_module(f"minirt.step{step}").STEP)


if __name__ == "__main__":
    main(*sys.argv[1:])
