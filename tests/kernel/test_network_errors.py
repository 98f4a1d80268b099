"""What cannot be had on the bridge network: said clearly, and nothing left behind."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from network_world import HOST, OUTSIDE, PYTHON, World

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    assert made.links() & {"lo", "up0"} == {"lo", "up0"}
    made.close()


def error_of(world: World, **order: object) -> str:
    container = world.container("bad", **order)
    assert container.driver.wait(30) == 125
    return container.facts["error"]


def test_a_port_in_use_by_a_program_is_refused_before_anything_is_made(world: World) -> None:
    world.host.serve(8080)
    error = error_of(world, publish=["8080:80"])
    assert "port 8080/tcp of the host is in use by a program" in error
    assert "ss -tlnp" in error
    assert world.links() == {"lo", "up0"}


def test_a_port_that_another_container_publishes_is_refused(world: World) -> None:
    world.server("web", 80, publish=["8080:80"])
    assert "in use by another container" in error_of(world, publish=["8080:81"])
    assert world.host.ask("127.0.0.1", 8080)
    assert len(world.register()) == 1


def test_the_same_port_of_the_other_protocol_is_free(world: World) -> None:
    world.host.serve(8080)
    assert "error" not in world.container("web", publish=["8080:80/udp"]).facts


def test_a_port_whose_server_has_just_ended_is_free(world: World) -> None:
    server = world.host.start(
        *PYTHON, "-c",
        "import socket; s = socket.create_server(('127.0.0.1', 8080)); print('ready', flush=True)\n"
        "c, _ = s.accept(); c.close()",
    )  # fmt: skip
    server.stdout.readline()
    world.host.ask("127.0.0.1", 8080)
    server.wait(30)
    assert "error" not in world.container("web", publish=["8080:80"]).facts


def test_a_device_of_somebody_else_with_the_bridges_name_is_not_touched(world: World) -> None:
    world.host.shell("ip link add minirt0 type bridge")
    error = error_of(world)
    assert "the host has a device minirt0 that minirt did not make" in error
    assert "DOWN" in world.host.run("ip", "-br", "link", "show", "minirt0")


@pytest.mark.parametrize("mechanism", ["veth", "nat", "names"])
def test_a_container_that_ends_while_it_is_attached_is_said_to_have_ended(
    world: World, mechanism: str
) -> None:
    error = error_of(world, end_before=mechanism, publish=["8080:80"])
    assert "the container ended while its network was set up" in error or "ns/net" in error
    assert world.register() == {}
    assert "8080" not in world.host.run("nft", "list", "ruleset")


def test_without_nft_nothing_is_made(world: World) -> None:
    hide = "mount --make-rprivate /; mount --bind /dev/null /usr/sbin/nft; "
    world.confine = ["unshare", "-m", "sh", "-c", f'{hide} exec "$@"', "sh"]
    assert "nft is not installed" in error_of(world)
    assert world.links() == {"lo", "up0"}


def test_without_cap_net_admin_the_error_says_so(world: World) -> None:
    world.confine = ["setpriv", "--bounding-set", "-net_admin"]
    error = error_of(world)
    assert "RTM_NEWLINK(kind=bridge" in error
    assert "= EPERM" in error
    assert "CAP_NET_ADMIN" in error


def test_a_register_in_a_directory_of_another_user_is_refused(world: World) -> None:
    os.mkdir(f"{world.root}/networks")
    os.chown(f"{world.root}/networks", 1000, 1000)
    error = error_of(world)
    assert f"{world.root}/networks could be changed by another user" in error
    assert world.links() == {"lo", "up0"}


def test_a_full_subnet_is_said_to_be_full(world: World) -> None:
    world.host.shell(
        "ip link add minirt0 address 02:6d:69:6e:69:00 type bridge\n"
        "ip address add 10.9.0.1/30 dev minirt0"
    )
    world.container("one")
    error = error_of(world)
    assert "all 1 addresses of 10.9.0.0/30 are taken" in error
    assert "minirt gc" in error
    assert len(world.register()) == 1


def test_the_kernels_own_words_and_the_module_are_in_the_error(world: World) -> None:
    program = (
        "from minirt.linux.netlink import Netlink; from minirt.errors import *\n"
        "with Netlink() as n:\n"
        " try: n.request('link', 'add', 'cannot make it', kind='nosuch', ifname='x0')\n"
        " except KernelError as e: print(render(e))"
    )
    error = world.host.run(*PYTHON, "-c", program)
    assert (
        "call    RTM_NEWLINK(kind=nosuch, ifname=x0) = ENOTSUP (Operation not supported)" in error
    )
    assert "kernel  Unknown device type" in error
    assert "modprobe nosuch" in error


DOCKER = """table ip filter {
 chain DOCKER-USER { }
 chain FORWARD { type filter hook forward priority filter; policy drop; jump DOCKER-USER; }
}"""
UFW = """table ip filter {
 chain ufw-before-forward { }
 chain FORWARD { type filter hook forward priority filter; policy drop; jump ufw-before-forward; }
}"""


@pytest.mark.parametrize(
    ("rules", "name", "remedy"),
    [
        (DOCKER, "Docker", "iptables -I DOCKER-USER -i minirt0 -j ACCEPT"),
        (UFW, "ufw", "ufw route allow in on minirt0"),
    ],
)
def test_a_firewall_that_drops_forwarding_is_named_with_the_remedy(
    world: World, rules: str, name: str, remedy: str
) -> None:
    world.host.run("nft", "-f", "-", stdin=rules.replace("; ", ";\n").replace("{ }", "{\n}"))
    (warning,) = world.container("web").facts["warnings"]
    assert warning.startswith(name)
    assert remedy in warning


def test_the_remedy_against_an_nftables_firewall_works(world: World) -> None:
    world.outside.serve(7000)
    rules = (
        "table inet mine {\n chain fw {\n type filter hook forward priority 0; policy drop;\n }\n}"
    )
    world.host.run("nft", "-f", "-", stdin=rules)
    web = world.container("web")
    assert web.ask(OUTSIDE, 7000) == ""
    (warning,) = web.facts["warnings"]
    world.host.shell(warning.partition("Allow it: ")[2])
    assert web.ask(OUTSIDE, 7000) == HOST
    assert world.container("other").facts["warnings"] == []


def test_no_warning_once_the_bridge_is_allowed(world: World) -> None:
    world.host.run("nft", "-f", "-", stdin=DOCKER.replace("; ", ";\n").replace("{ }", "{\n}"))
    world.host.run("nft", "add rule ip filter DOCKER-USER iifname minirt0 accept")
    assert world.container("web").facts["warnings"] == []
