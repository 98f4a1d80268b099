"""Containers on the bridge: what they reach, what reaches them, what is left behind."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from network_world import HOST, OUTSIDE, PEER, PYTHON, Namespace, World

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARED = {"lo", "up0", "minirt0"}
PUBLISHED = pytest.mark.parametrize("udp", [(), ("udp",)], ids=["tcp", "udp"])


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


def test_a_container_reaches_the_outside_with_the_hosts_address(world: World) -> None:
    world.outside.serve(7000)
    assert world.container("web").ask(OUTSIDE, 7000) == HOST


def test_its_own_127_0_0_1_is_up(world: World) -> None:
    container = world.container("web")
    container.serve(7000)
    assert container.ask("127.0.0.1", 7000) == "127.0.0.1"


@PUBLISHED
def test_a_published_port_answers_from_everywhere(world: World, udp: tuple[str, ...]) -> None:
    web = world.server("web", 80, *udp, publish=["8080:80" + "".join(f"/{u}" for u in udp)])
    other = world.container("other")
    gateway = other.shell("ip route show default").split()[2]
    assert world.host.ask("127.0.0.1", 8080, *udp) == gateway
    assert world.host.ask(HOST, 8080, *udp) == HOST
    assert world.outside.ask(HOST, 8080, *udp) == OUTSIDE
    assert other.ask(HOST, 8080, *udp) == gateway
    assert web.ask(HOST, 8080, *udp) == gateway


def test_ports_that_are_not_published_are_closed_to_the_outside(world: World) -> None:
    web = world.server("web", 80)
    world.outside.shell(f"ip route add {web.address} via {HOST}")
    assert world.host.ask(web.address, 80)
    assert world.outside.ask(web.address, 80) == ""
    assert world.outside.ask(HOST, 80) == ""


def test_a_published_port_that_is_not_local_is_not_taken_from_its_owner(world: World) -> None:
    world.outside.serve(8080)
    world.server("web", 80, publish=["8080:80"])
    assert world.container("other").ask(OUTSIDE, 8080) == HOST


def test_no_container_reaches_what_listens_on_the_hosts_loopback(world: World) -> None:
    world.host.shell("ip address add 127.0.0.2/8 dev lo")
    world.host.serve(7000)
    world.server("web", 80, publish=["8080:80"])
    evil = world.container("evil")
    gateway = evil.shell("ip route show default").split()[2]
    evil.shell(
        "echo 1 >/proc/sys/net/ipv4/conf/eth0/route_localnet; ip address flush dev lo\n"
        f"ip route add 127.0.0.2 via {gateway}"
    )
    assert evil.ask(gateway, 7000)
    assert evil.ask("127.0.0.2", 7000) == ""


SPOOF = """
import socket, sys
for source in ("127.0.0.5", ""):
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.bind((source, 0))
    client.sendto(b"?", (sys.argv[1], 7000))
"""
LISTEN = """
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("", 7000))
print("ready", flush=True)
print(server.recvfrom(9)[1][0], flush=True)
"""


def test_no_container_sends_with_an_address_of_the_hosts_loopback(world: World) -> None:
    world.server("web", 80, publish=["8080:80"])  # with it, the host takes such packets
    evil = world.container("evil")
    gateway = evil.shell("ip route show default").split()[2]
    world.host.shell("cd /proc/sys/net/ipv4/conf; echo 0 | tee all/rp_filter minirt0/rp_filter")
    evil.shell("echo 1 >/proc/sys/net/ipv4/conf/eth0/route_localnet")
    listener = world.host.start(*PYTHON, "-c", LISTEN)
    assert listener.stdout.readline() == "ready\n"
    evil.run(*PYTHON, "-c", SPOOF, gateway)
    assert listener.stdout.readline() == f"{evil.address}\n"


def test_two_containers_reach_each_other_by_address_and_by_name(world: World) -> None:
    web = world.server("web", 80)
    other = world.container("other")
    assert other.ask(web.address, 80) == other.address
    for container in (web, other):
        with open(container.hosts) as file:
            lines = [line.split() for line in file]
        assert [web.address, "web"] in lines
        assert [other.address, "other"] in lines


def test_the_hosts_file_is_kept_up_to_date_in_place(world: World) -> None:
    web = world.container("web")
    before = os.stat(web.hosts).st_ino
    other = world.container("other")
    with open(web.hosts) as file:
        assert "other" in file.read()
    other.stop()
    with open(web.hosts) as file:
        assert "other" not in file.read()
    assert os.stat(web.hosts).st_ino == before


ADVERTISE = """
import socket, struct
source, group = socket.inet_pton(10, "fe80::1"), socket.inet_pton(10, "ff02::1")
advertisement = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)
words = source + group + struct.pack("!II", len(advertisement), 58) + advertisement
total = sum(struct.unpack(f"!{len(words) // 2}H", words))
total = (total & 0xFFFF) + (total >> 16)
checksum = struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF)
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind(("eth0", 0))
wire.send(
    bytes.fromhex("333300000001" "026d00000001" "86dd")
    + struct.pack("!IHBB", 6 << 28, len(advertisement), 58, 255) + source + group
    + advertisement[:2] + checksum + advertisement[4:]
)
"""


@pytest.mark.skipif(not os.path.exists("/proc/sys/net/ipv6"), reason="the kernel has no IPv6")
def test_a_router_advertisement_from_inside_gives_nobody_a_route(world: World) -> None:
    neighbour, evil = world.container("neighbour"), world.container("evil")
    evil.run(*PYTHON, "-c", ADVERTISE)
    world.host.serve(7000)
    gateway = evil.shell("ip route show default").split()[2]
    assert evil.ask(gateway, 7000)  # sent later: what was sent before has arrived
    for namespace in (world.host, neighbour):
        assert namespace.run("ip", "-6", "route", "show", "default") == ""
        shown = namespace.shell("ip -6 -o address show | grep -v '^1: lo ' | grep -v up0 || :")
        assert shown == ""


LEASE = """
import fcntl, os, signal, sys
signal.signal(signal.SIGIO, signal.SIG_IGN)
fd = os.open(sys.argv[1], os.O_RDWR)
fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("held", flush=True)
signal.pause()
"""


def test_a_lease_on_a_hosts_file_keeps_nobody_waiting(world: World) -> None:
    web = world.container("web")
    assert world.host.start(*PYTHON, "-c", LEASE, web.hosts).stdout.readline() == "held\n"
    (warning,) = world.container("other").facts["warnings"]
    assert f"cannot update {web.hosts}" in warning


def test_a_host_name_cannot_add_lines_to_the_hosts_files_of_others(world: World) -> None:
    web = world.container("web")
    world.container("other", hostname="x\n10.0.0.1 bank")
    with open(web.hosts) as file:
        assert "bank" not in file.read()


def test_ten_started_at_once_get_ten_addresses(world: World) -> None:
    orders = [{"id": f"c{n}", "root": world.root} for n in range(10)]
    driver = [*PYTHON, os.path.join(os.path.dirname(__file__), "network_driver.py")]
    started = [world.host.start(*driver, json.dumps(order), "sleep", "600") for order in orders]
    facts = [json.loads(process.stdout.readline()) for process in started]
    assert [fact.get("error") for fact in facts] == [None] * 10
    endpoints = world.register()
    assert len({endpoint["address"] for endpoint in endpoints.values()}) == 10
    for process in started:
        process.stdin.close()
        assert process.wait(30) == 0
    assert world.links() == SHARED


def test_the_subnet_avoids_every_route_of_every_table(world: World) -> None:
    world.host.shell(
        f"ip route add 10.64.0.0/10 via {OUTSIDE} table 7; ip route add 172.16.0.0/12 dev up0"
    )
    assert world.container("web").address.startswith("10.144.")


def test_the_subnet_stays_as_long_as_the_bridge(world: World) -> None:
    before = world.container("one").address
    world.host.shell("ip route add 10.77.0.0/16 dev up0")
    assert world.container("two").address.rpartition(".")[0] == before.rpartition(".")[0]


def test_what_stays_is_the_bridge_the_table_and_the_setting(world: World) -> None:
    container = world.container("web", publish=["8080:80"])
    assert container.stop() == 0
    assert world.links() == SHARED
    assert world.register() == {}
    assert "8080" not in world.host.run("nft", "list", "ruleset")
    assert world.host.run("cat", "/proc/sys/net/ipv4/ip_forward") == "1\n"


REMOVE_ALL = """
import sys; from minirt.linux import command; from minirt.networks.network import *
from minirt.errors import MinirtError
try: print(remove_all(command.run, Network(directory=sys.argv[1])))
except MinirtError as error: print(error.what)
"""


def remove_all(world: World) -> str:
    return world.host.run(*PYTHON, "-c", REMOVE_ALL, f"{world.root}/networks")


def test_remove_all_takes_the_three_shared_things_away(world: World) -> None:
    container = world.container("web")
    assert "1 containers are on the bridge" in remove_all(world)
    assert "minirt0" in world.links()
    container.stop()
    assert "ip_forward" in remove_all(world)
    assert world.links() == SHARED - {"minirt0"}
    assert world.host.run("nft", "list", "ruleset") == ""
    assert world.host.run("cat", "/proc/sys/net/ipv4/ip_forward") == "0\n"
    assert os.listdir(f"{world.root}/networks") == ["lock"]
    assert remove_all(world) == "[]\n"


@pytest.mark.parametrize("before", ["0", "1"])
def test_the_host_becomes_nobody_elses_router(world: World, before: str) -> None:
    world.outside.serve(7000)
    world.host.shell(f"echo {before} >/proc/sys/net/ipv4/ip_forward")
    web = world.container("web")
    assert web.ask(OUTSIDE, 7000) == HOST
    client = Namespace()
    world.host.shell(
        f"ip link add up1 type veth peer name eth0 netns {client.holder.pid}\n"
        "ip address add 192.0.2.1/24 dev up1; ip link set up1 up"
    )
    client.shell(
        "ip address add 192.0.2.2/24 dev eth0; ip link set eth0 up\n"
        "ip route add default via 192.0.2.1"
    )
    world.outside.shell(f"ip route add 192.0.2.0/24 via {HOST}")
    seen = client.ask(OUTSIDE, 7000)
    client.close()
    assert seen == ("192.0.2.2" if before == "1" else "")


def test_what_another_namespace_left_under_the_same_inode_is_not_believed(world: World) -> None:
    world.container("web").stop()
    (left,) = [name for name in os.listdir(f"{world.root}/networks") if name != "lock"]
    inode = os.stat(f"/proc/{world.outside.holder.pid}/ns/net").st_ino
    os.rename(f"{world.root}/networks/{left}", f"{world.root}/networks/{inode}.json")
    world.outside.shell("echo 1 >/proc/sys/net/ipv4/ip_forward")
    assert world.outside.run(*PYTHON, "-c", REMOVE_ALL, f"{world.root}/networks") == "[]\n"
    assert world.outside.run("cat", "/proc/sys/net/ipv4/ip_forward") == "1\n"


def test_forwarding_that_was_on_before_stays_on(world: World) -> None:
    world.host.shell("echo 1 >/proc/sys/net/ipv4/ip_forward")
    world.container("web").stop()
    remove_all(world)
    assert world.host.run("cat", "/proc/sys/net/ipv4/ip_forward") == "1\n"


@pytest.mark.parametrize("mechanism", ["bridge", "veth", "nft", "nat", "names"])
def test_a_runtime_killed_on_the_way_leaves_nothing_that_the_next_run_trips_over(
    world: World, mechanism: str
) -> None:
    dead = world.container("web", publish=["8080:80"], die_after=mechanism)
    assert dead.facts == {}
    dead.driver.wait(30)
    web = world.server("web", 80, publish=["8080:80"])
    assert world.host.ask("127.0.0.1", 8080)
    assert len(world.register()) == 1
    web.stop()
    assert world.links() == SHARED


def test_rules_that_a_killed_runtime_had_just_given_do_not_stay(world: World) -> None:
    world.container("web", publish=["8080:80"], die_after="nft").driver.wait(30)
    assert "8080" in world.host.run("nft", "list", "ruleset")
    world.container("other")
    assert "8080" not in world.host.run("nft", "list", "ruleset")


def test_the_port_of_a_killed_container_leads_nowhere_else(world: World) -> None:
    world.container("web", publish=["8080:80"]).kill()
    world.container("other")
    assert "8080" not in world.host.run("nft", "list", "ruleset")


def test_rules_that_somebody_flushed_are_there_after_the_next_start(world: World) -> None:
    world.outside.serve(7000)
    web = world.container("web")
    world.host.run("nft", "flush", "ruleset")
    world.container("other")
    assert web.ask(OUTSIDE, 7000) == HOST


def test_a_connection_outlives_a_change_of_the_rules(world: World) -> None:
    world.outside.start(
        *PYTHON, "-c",
        "import socket; s = socket.create_server(('0.0.0.0', 7000)); c, _ = s.accept()\n"
        "while True: c.sendall(c.recv(9))",
    )  # fmt: skip
    web = world.container("web")
    talk = web.start(
        *PYTHON, "-c",
        "import socket, time\n"
        "for _ in range(100):\n"
        f" try: c = socket.create_connection(('{OUTSIDE}', 7000)); break\n"
        " except ConnectionRefusedError: time.sleep(0.05)\n"
        "while input() or 1: c.sendall(b'hello'); print(c.recv(9), flush=True)",
    )  # fmt: skip

    def echo() -> str:
        talk.stdin.write("\n")
        talk.stdin.flush()
        return talk.stdout.readline()

    assert echo() == "b'hello'\n"
    world.container("other", publish=["8080:80"])
    assert echo() == "b'hello'\n"


def test_a_container_in_a_user_namespace_has_the_same_network(world: World) -> None:
    world.outside.serve(7000)
    web = world.server("web", 8000, userns=True, publish=["8080:8000"])
    assert world.host.ask("127.0.0.1", 8080)
    assert web.ask(OUTSIDE, 7000) == HOST


def test_the_commands_by_hand_make_the_same_network_beside_minirts(world: World) -> None:
    world.outside.serve(7000)
    web = world.container("web")
    holder = world.host.start("unshare", "--net", *PEER, "serve", "80")
    assert holder.stdout.readline() == "ready\n"
    program = (
        "from minirt.mechanisms import bridge, loopback, nat, veth\n"
        "from minirt.networks.network import Network; n = Network()\n"
        "print(*loopback.Loopback().by_hand())\n"
        "for m in (bridge.Bridge(n), veth.Veth(n), nat.Nat(n, ['8080:80'])):\n"
        " print(*m.by_hand(), sep='\\n')\n"
        "print('# undo')\n"
        "for m in (nat.Nat(n), bridge.Bridge(n)): print(*m.undo_by_hand(), sep='\\n')"
    )
    script, _, undo = world.host.run(*PYTHON, "-c", program).partition("# undo\n")
    inside, _, outside = script.partition("\n")
    enter = f"nsenter --net=/proc/{holder.pid}/ns/net"
    world.host.shell(f"{enter} {inside}; PID={holder.pid}\n{outside}")
    assert world.host.ask("127.0.0.1", 8080)
    ask = [*enter.split(), *PEER, "ask"]
    assert world.host.run(*ask, OUTSIDE, "7000") == f"{HOST}\n"
    assert world.host.run(*ask, HOST, "8080") == "10.77.252.1\n"
    world.host.shell(f"forwarding=1\n{undo}")
    assert web.ask(OUTSIDE, 7000) == HOST
    assert "table ip byhand0" not in world.host.run("nft", "list", "ruleset")
    assert "byhand0" not in world.links()
