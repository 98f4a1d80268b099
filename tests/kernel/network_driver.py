"""Run one command on the bridge network by the network's mechanisms alone.

    python -I network_driver.py '{"id": ..., "root": ..., ...}' COMMAND...

Prints one line of JSON when the command may start, lets it run until standard input ends, and
then takes the container away. A program of its own, because a clone wants a small process.
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from typing import TYPE_CHECKING

from minirt.context import Context
from minirt.errors import MinirtError, render
from minirt.linux import command
from minirt.linux.clone import clone3
from minirt.linux.ending import wait
from minirt.linux.namespaces import CLONE_NEWNET, CLONE_NEWUSER
from minirt.mechanisms.bridge import Bridge
from minirt.mechanisms.etc_files import EtcFiles
from minirt.mechanisms.loopback import Loopback
from minirt.mechanisms.names import Names
from minirt.mechanisms.nat import Nat
from minirt.mechanisms.veth import Veth
from minirt.networks.network import Network

if TYPE_CHECKING:
    from typing import Any, NoReturn

    from minirt.mechanism import Mechanism

    Order = dict[str, Any]


def plan_of(order: Order) -> list[Mechanism]:
    network = Network(directory=f"{order['root']}/networks")
    return [
        Loopback(),
        Bridge(network),
        Veth(network),
        Nat(network, order.get("publish", ())),
        Names(network, order.get("hostname", order["id"])),
        EtcFiles(order["id"], "bridge"),
    ]


def context_of(order: Order, warnings: list[str]) -> Context:
    directory = f"{order['root']}/{order['id']}"
    os.makedirs(directory, exist_ok=True)
    ctx = Context(order["id"], directory, f"{zlib.crc32(directory.encode()):08x}")
    ctx.call = run_and_die if order.get("die_after") == "nft" else command.run
    ctx.warn = warnings.append
    return ctx


def run_and_die(argv: list[str], stdin: str = "") -> str:
    """As if we were killed right after nft has changed the rules."""
    output = command.run(argv, stdin)
    if argv[1] == "-f":
        os.kill(os.getpid(), 9)
    return output


def launch(plan: list[Mechanism], ctx: Context, order: Order, argv: list[str]) -> None:
    """Clone, attach, and let the child go on to its command."""
    reader, writer = os.pipe()
    ctx.pid, ctx.pidfd = clone3(CLONE_NEWNET | (CLONE_NEWUSER if order.get("userns") else 0))
    if ctx.pid == 0:
        os.close(writer)
        if os.read(reader, 1):
            for mechanism in plan:
                mechanism.enter(ctx)
            os.execvp(argv[0], argv)
        os._exit(1)
    os.close(reader)
    for mechanism in plan:
        if mechanism.name == order.get("end_before"):
            os.kill(ctx.pid, 9)
            os.waitid(os.P_PIDFD, ctx.pidfd, os.WEXITED | os.WNOWAIT)
        mechanism.attach(ctx)
        if mechanism.name == order.get("die_after"):
            os.kill(os.getpid(), 9)
    os.write(writer, b"g")


def main(order: Order, argv: list[str]) -> NoReturn:
    warnings: list[str] = []
    plan, ctx = plan_of(order), context_of(order, warnings)
    status = 0
    try:
        for mechanism in plan:
            mechanism.prepare(ctx)
        launch(plan, ctx, order, argv)
        print(json.dumps({"pid": ctx.pid, "warnings": warnings}), flush=True)
        sys.stdin.read()
    except MinirtError as error:
        print(json.dumps({"error": render(error), "made": sorted(ctx.created)}), flush=True)
        status = error.exit_code
    if ctx.pid:
        os.kill(ctx.pid, 9)
        wait(ctx.pidfd)
    for mechanism in reversed(plan):
        mechanism.teardown(ctx)
    sys.exit(status)


main(json.loads(sys.argv[1]), sys.argv[2:])
