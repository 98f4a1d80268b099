"""Take a container through engine.create, start and destroy, as an order in JSON says.

    python engine_driver.py '{"id": ID, "step": 6, "arguments": [...], "namespaces": {TYPE: PATH},
                              "hooks": {...}, "clone3": ERRNO}' ROOT

`arguments` are those of a step; `namespaces` are joined by path; `hooks` are the specification's;
with `clone3` that call fails in this process. Prints a line of JSON once the program runs, and
destroys the container when its own input ends. A failure is printed as one such line instead.
A process of its own, because the engine clones: pytest is too large for that.
"""

from __future__ import annotations

import importlib
import struct
import sys

from minirt import state
from minirt.codec import dumps, loads
from minirt.engine.create import create
from minirt.engine.destroy import destroy
from minirt.engine.start import start
from minirt.errors import MinirtError
from minirt.hints import hint_for
from minirt.linux.calls import NUMBERS
from minirt.linux.seccomp import fprog, load
from minirt.spans import Recorder
from minirt.stepping.options import OPTIONS
from minirt.stepping.parser import parse
from minirt.stepping.step import requested

ALLOW, FAIL = 0x7FFF0000, 0x50000


def forbid(call: str, errno: int) -> None:
    """From here on `call` fails with `errno`: a filter like those that containers run under."""
    program = (
        (0x20, 0, 0, 0),  # the number of the call
        (0x15, 0, 1, NUMBERS[call]),
        (0x06, 0, 0, FAIL | errno),
        (0x06, 0, 0, ALLOW),
    )
    load(fprog(b"".join(struct.pack("=HBBI", *instruction) for instruction in program)))


def config(order: dict, step: object, record: state.State) -> dict:
    """The configuration of the step, with the order's namespaces and hooks."""
    values = parse(order["arguments"], OPTIONS, order["step"])
    made = requested(step, values, record.id, record.directory).config()
    for entry in made["linux"]["namespaces"]:
        if entry["type"] in order.get("namespaces", {}):
            entry["path"] = order["namespaces"][entry["type"]]
    if "user" in order.get("namespaces", {}):  # it has its maps
        del made["linux"]["uidMappings"], made["linux"]["gidMappings"]
    return {**made, "hooks": order.get("hooks", {})}


def main(order: dict, root: str) -> None:
    step = importlib.import_module(f"minirt.step{order['step']}").STEP
    record = state.new(root, order["id"])
    record.spec = config(order, step, record)
    if "clone3" in order:
        forbid("clone3", order["clone3"])
    allowed = (*step.mechanisms, "hooks", "poststop")
    container = create(record, Recorder(), allowed)
    try:
        start(container)
        print(dumps({"pid": container.ctx.pid}), flush=True)
        sys.stdin.read()
    finally:
        destroy(container)


if __name__ == "__main__":
    try:
        main(loads(sys.argv[1]), sys.argv[2])
    except MinirtError as error:
        hint = error.hint or hint_for(error)
        kind, call = type(error).__name__, error.call_line()
        print(dumps({"error": kind, "what": error.what, "call": call, "hint": hint}), flush=True)
