"""A guest on the bridge: it reaches the host and is reached, and its tap never stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from conftest import qemus

from minirt.errors import HostError
from minirt.linux import netdev
from minirt.linux.netlink import Netlink
from minirt.networks.network import Network
from minirt.vm.guest import Guest
from minirt.vm.machine import KINDS
from minirt.vm.prepare import prepare
from minirt.vm.tap import Tap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Layers

PING = ["ping", "-c", "3", "-W", "5"]


def endpoints(network: Network | None = None) -> dict[str, str]:
    """The address of each name that is on the network."""
    with (network or Network()).register() as register:
        return {name: endpoint.address for name, endpoint in register.endpoints.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_host_and_guest_reach_each_other_and_the_tap_goes(layers: Layers, kind: str) -> None:
    with Tap() as tap:
        name, gateway = tap.name, tap.subnet.gateway
        assert endpoints()[name] == tap.address
        with Guest(prepare(layers, kind=kind, tap=tap)) as guest:
            assert guest.address == tap.address
            out = guest.run(["/bin/busybox", *PING, gateway])
            back = subprocess.run([*PING, tap.address], capture_output=True, check=False)
    assert (out.status, back.returncode) == (0, 0)
    assert not netdev.index(name)
    assert name not in endpoints()


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    """A bridge of this test's own."""
    own = Network("mrvmtest0", str(tmp_path / "networks"))
    yield own
    with Netlink() as host:
        host.delete_link(own.bridge)


def test_a_guest_is_on_the_bridge_that_was_given(layers: Layers, network: Network) -> None:
    with Tap(network) as tap, Tap(network) as other:
        assert endpoints(network) == {tap.name: tap.address, other.name: other.address}
        assert tap.name not in endpoints()
        with Guest(prepare(layers, tap=tap)) as guest:
            assert guest.run(["/bin/busybox", *PING, tap.subnet.gateway]).status == 0
    assert endpoints(network) == {}


def test_two_guests_reach_each_other(layers: Layers) -> None:
    with Tap() as left, Tap() as right:
        assert left.address != right.address
        with Guest(prepare(layers, tap=left)) as one, Guest(prepare(layers, tap=right)):
            assert one.run(["/bin/busybox", *PING, right.address]).status == 0


OWNER = """
import sys
from minirt.vm.guest import Guest
from minirt.vm.prepare import prepare
from minirt.vm.tap import Tap
with Tap() as tap, Guest(prepare(sys.argv[1:], tap=tap)) as guest:
    print(tap.name, flush=True)
    guest.run(["sleep", "600"])
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_an_owner_that_is_killed_leaves_neither_tap_nor_address(
    layers: Layers, number: signal.Signals
) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, *layers], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert owner.stdout is not None
    name = owner.stdout.readline().decode().strip()
    assert netdev.index(name)
    owner.send_signal(number)
    owner.communicate(timeout=10)

    deadline = time.monotonic() + 5
    while (netdev.index(name) or qemus()) and time.monotonic() < deadline:
        os.sched_yield()
    assert not netdev.index(name)
    assert name not in endpoints()


def test_a_user_who_is_not_root_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(HostError, match="needs root") as caught, Tap():
        pass

    assert "run as root" in caught.value.hint
