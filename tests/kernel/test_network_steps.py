"""Step 4 as a person uses it, on a host that is a network namespace of the test's own."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from network_world import HOST, OUTSIDE, PYTHON, World

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

REMOVE_ALL = (
    "from minirt.linux.command import run; from minirt.networks.network import *; remove_all(run)"
)


class Steps(World):
    """The world's host, with step 4 to run on it."""

    def __init__(self) -> None:
        super().__init__()
        environment = f"MINIRT_STATE={self.root}"
        self.confine = ["env", environment, *PYTHON, "-m", "minirt.step4", "--quiet"]

    def run(self, *arguments: str) -> str:
        return self.host.run(*self.confine, *arguments)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        process = self.host.start(*self.confine, *arguments)
        assert process.stdout.readline() == "ready\n"
        return process

    def close(self) -> None:
        self.host.run(*PYTHON, "-c", REMOVE_ALL)
        assert self.links() == {"lo", "up0"}
        assert os.listdir(f"{self.root}/containers") == []
        super().close()


@pytest.fixture
def steps() -> Iterator[Steps]:
    made = Steps()
    yield made
    made.close()


def test_step_4_has_an_address_a_route_and_its_name(steps: Steps) -> None:
    script = "ip -4 address show eth0; ip route; cat /etc/hosts; cat /etc/hostname"
    shown = steps.run("--hostname", "web", "--", "sh", "-c", script)
    assert "inet 10." in shown
    assert "default via 10." in shown
    assert shown.splitlines()[-2].split()[1] == "web"
    assert shown.splitlines()[-1] == "web"


def test_two_containers_of_step_4_find_each_other_by_name(steps: Steps) -> None:
    web = steps.start("--hostname", "web", "--", "sh", "-c", "echo ready; exec sleep 60")
    assert "1 packets received" in steps.run("--", "ping", "-c", "1", "-W", "2", "web")
    other = steps.start("--hostname", "db", "--", "sh", "-c", "echo ready; exec sleep 60")
    for process in (web, other):
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 128 + signal.SIGTERM


def test_a_running_container_sees_a_new_neighbour(steps: Steps) -> None:
    script = "echo ready; until grep db /etc/hosts; do usleep 20000; done"
    web = steps.start("--", "sh", "-c", script)
    steps.run("--hostname", "db", "--", "sleep", "0.3")
    assert web.stdout.readline().endswith("\n")
    assert web.wait(10) == 0


def test_a_published_port_of_step_4_is_served_on_the_host(steps: Steps) -> None:
    script = "mkdir /www; echo hello >/www/index.html; httpd -p 80 -h /www; echo ready; sleep 60"
    web = steps.start("--publish", "8080:80", "--", "sh", "-c", script)
    fetch = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=5).read())"
    for client, host in ((steps.host, "127.0.0.1"), (steps.host, HOST), (steps.outside, HOST)):
        assert client.run(*PYTHON, "-c", fetch, f"http://{host}:8080/") == "b'hello\\n'\n"
    assert steps.run("--", "wget", "-q", "-O-", f"http://{HOST}:8080/") == "hello\n"
    web.send_signal(signal.SIGINT)
    web.wait(10)


def test_network_none_has_lo_only(steps: Steps) -> None:
    shown = steps.run("--network", "none", "--", "sh", "-c", "ip -o link; ping -c 1 127.0.0.1")
    assert "LOOPBACK,UP" in shown
    assert "eth0" not in shown
    assert "1 packets received" in shown
    assert "minirt0" not in steps.links()


def test_network_host_is_the_hosts_own(steps: Steps) -> None:
    steps.outside.serve(7000)
    shown = steps.run("--network", "host", "--", "readlink", "/proc/self/ns/net")
    assert shown == steps.host.run("readlink", "/proc/self/ns/net")
    assert "up0" in steps.run("--network", "host", "--", "ip", "-o", "link")


def test_the_outside_is_reached_from_step_4(steps: Steps) -> None:
    assert "1 packets received" in steps.run("--", "ping", "-c", "1", "-W", "2", OUTSIDE)


def test_a_killed_step_4_is_tidied_up_by_the_next(steps: Steps) -> None:
    web = steps.start("--publish", "8080:80", "--", "sh", "-c", "echo ready; exec sleep 60")
    web.kill()
    web.wait()
    steps.run("--publish", "8080:80", "--", "true")
    assert steps.links() == {"lo", "up0", "minirt0"}
    assert "8080" not in steps.host.run("nft", "list", "ruleset")
