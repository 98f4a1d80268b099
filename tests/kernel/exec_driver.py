"""Make a detached step 6 container, execute one more program in it, delete it.

    python exec_driver.py STEP [OPTIONS ...] -- PROGRAM [ARGUMENTS ...]

Prints the program's output, then "status N", or the error in one line. A process of its own,
because the engine clones: pytest is too large for that.
"""

from __future__ import annotations

import importlib
import sys

from minirt import state, state_root
from minirt.engine.create import create
from minirt.engine.destroy import destroy
from minirt.engine.exec import execute
from minirt.engine.start import start
from minirt.errors import MinirtError
from minirt.spans import Recorder
from minirt.stepping.options import OPTIONS
from minirt.stepping.parser import parse
from minirt.stepping.step import requested


def main(number: int, arguments: list[str]) -> None:
    step = importlib.import_module(f"minirt.step{number}").STEP
    values = parse(arguments, OPTIONS, number)
    program, values.command = values.command, ["sleep", "1000"]
    root = state_root.default()
    record = state.new(root, "exec-test")
    record.spec = requested(step, values, record.id, record.directory).config()
    container = create(record, Recorder(), step.mechanisms)
    start(container)
    record.unlock()
    try:
        print(f"status {execute(record, {'args': program}, Recorder())}", flush=True)
    except MinirtError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
    finally:
        assert record.lock(wait=False)
        destroy(container)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
