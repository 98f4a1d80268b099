"""Three nodes, each a dockerd in a network and a mount namespace, and a network across them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from docker import Docker
from engine import IMAGE, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow
NODES = 3
# Each node needs its own /run/docker and host name; a resolver that refuses at once saves every
# task a wait of 20 s for a registry.
NODE = """\
mount -t tmpfs tmpfs /run/docker
hostname node{number}
echo nameserver 127.0.0.1 > {where}/resolv.conf
mount --bind {where}/resolv.conf /etc/resolv.conf
exec "$@"
"""
# Virtual addresses of services need IP_VS, which not every kernel has; these are of each task.
SERVICE = ("--detach", "--network", "across", "--endpoint-mode", "dnsrr", "--no-resolve-image")
SERVE = ("httpd", "-f", "-p", "80", "-h", "/etc")


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


@pytest.fixture(scope="module")
def cables() -> Iterator[None]:
    """A bridge, and a cable from it to each node's namespace."""
    ip("link", "add", "swarm0", "type", "bridge")
    ip("addr", "add", "10.77.0.254/24", "dev", "swarm0")
    ip("link", "set", "swarm0", "up")
    for number in range(1, NODES + 1):
        ip("netns", "add", f"node{number}")
        ip("link", "add", f"node{number}", "type", "veth",
           "peer", "name", "eth0", "netns", f"node{number}")  # fmt: skip
        ip("link", "set", f"node{number}", "master", "swarm0", "up")
        within = ("-n", f"node{number}")
        ip(*within, "addr", "add", f"10.77.0.{number}/24", "dev", "eth0")
        ip(*within, "link", "set", "eth0", "up")
        ip(*within, "link", "set", "lo", "up")
        ip(*within, "route", "add", "default", "via", "10.77.0.254")
    yield
    for number in range(1, NODES + 1):
        ip("netns", "del", f"node{number}")
    ip("link", "del", "swarm0")


@pytest.fixture(scope="module")
def nodes(scratch: Path, archive: Path, launcher: str, cables: None) -> Iterator[dict[str, Docker]]:
    made = {f"node{n}": node(n, scratch, launcher) for n in range(1, NODES + 1)}
    try:
        for one in made.values():
            one.ready()
            one.must("load", "--input", str(archive))
        first, *others = made.values()
        first.must("swarm", "init", "--advertise-addr", "10.77.0.1")
        token = first.must("swarm", "join-token", "--quiet", "worker")
        for one in others:
            one.must("swarm", "join", "--token", token, "10.77.0.1:2377")
        yield made
    finally:
        for one in made.values():
            end(one)


def node(number: int, scratch: Path, launcher: str) -> Docker:
    os.makedirs("/run/docker", exist_ok=True)
    where = scratch / f"node{number}"
    script = NODE.format(number=number, where=where)
    prefix = ("nsenter", f"--net=/run/netns/node{number}", "unshare", "--mount", "--uts",
              "--propagation", "slave", "sh", "-ec", script, "sh")  # fmt: skip
    return Docker(where, launcher, prefix=prefix, bip=f"10.78.{number}.1/24")


def end(one: Docker) -> None:
    """Stop a node; what a killed one left goes too."""
    if one.daemon.process.poll() is None:
        one.call("swarm", "leave", "--force")
        one.end()


def tasks(manager: Docker, service: str) -> list[tuple[str, str]]:
    """The node and the state of each task that is to run."""
    form = ("--filter", "desired-state=running", "--format", "{{.Node}} {{.CurrentState}}")
    lines = manager.must("service", "ps", *form, service).splitlines()
    return [(line.split()[0], line.split()[1]) for line in lines if len(line.split()) > 1]


def running(manager: Docker, service: str) -> set[str]:
    """The nodes on which the service runs."""
    return {where for where, state in tasks(manager, service) if state == "Running"}


def task(one: Docker, service: str) -> str:
    """A container of the service on this node."""
    name = f"name={service}"
    return one.must("ps", "--quiet", "--filter", name).splitlines()[0]


def test_a_service_across_nodes_and_the_death_of_one(nodes: dict[str, Docker]) -> None:
    manager = nodes["node1"]
    manager.must("network", "create", "--driver", "overlay", "across")
    manager.must("service", "create", "--name", "client", "--mode", "global", *SERVICE,
                 IMAGE, "sleep", "100000")  # fmt: skip
    manager.must("service", "create", "--name", "web", "--replicas", "2",
                 "--constraint", "node.role==worker", *SERVICE, IMAGE, *SERVE)  # fmt: skip
    until(lambda: running(manager, "client") == set(nodes), lambda: str(tasks(manager, "client")))
    until(lambda: running(manager, "web") == {"node2", "node3"})

    # Not wget -T: this busybox's crashes with it, under any runtime.
    get = ("timeout", "5", "wget", "-q", "-O", "-", "http://web/motd")
    fetch = ("exec", task(manager, "client"), *get)
    until(lambda: manager.call(*fetch).stdout.startswith("Welcome"))

    kill(nodes["node3"])
    until(lambda: "Down" in manager.must("node", "ls", "--format", "{{.Hostname}} {{.Status}}"))
    both = [("node2", "Running")] * 2
    until(lambda: tasks(manager, "web") == both, lambda: str(tasks(manager, "web")))
    until(lambda: manager.call(*fetch).stdout.startswith("Welcome"))
    manager.must("service", "rm", "web", "client")
    until(lambda: not any(one.must("ps", "--quiet") for one in (manager, nodes["node2"])))


def kill(one: Docker) -> None:
    """Kill a node: the daemon, its containerd, the shims and the containers."""
    for pid in [*one.processes("cmdline", f"{one.where}/"), *one.processes("cgroup", one.cgroup)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    one.daemon.process.wait()
