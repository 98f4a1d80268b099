"""A host and the outside, each a network namespace of its own, joined by a veth pair.

    container -- minirt0 [host 198.51.100.2] ---- [198.51.100.1 outside]

The machine's own network is not touched. The outside has no route to any container.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(__file__)
HOST, OUTSIDE = "198.51.100.2", "198.51.100.1"
PYTHON = [sys.executable, "-I"]
PEER = [*PYTHON, f"{HERE}/network_peer.py"]


class Namespace:
    """A network namespace, held by a process that sleeps in it."""

    def __init__(self) -> None:
        self.holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec sleep 600"],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.holder.stdout.readline() == "up\n"
        self.processes = [self.holder]

    def argv(self, *argv: str) -> list[str]:
        return ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net", *argv]

    def run(self, *argv: str, check: bool = True, stdin: str = "") -> str:
        return subprocess.run(
            self.argv(*argv), check=check, input=stdin, capture_output=True, text=True
        ).stdout

    def shell(self, script: str) -> str:
        return self.run("sh", "-ec", script)

    def start(self, *argv: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            self.argv(*argv), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.processes.append(process)
        return process

    def serve(self, port: int, *udp: str) -> None:
        assert self.start(*PEER, "serve", str(port), *udp).stdout.readline() == "ready\n"

    def ask(self, host: str, port: int, *udp: str) -> str:
        """What the peer at host:port saw as our address; "" when it did not answer."""
        return self.run(*PEER, "ask", host, str(port), *udp, check=False).strip()

    def close(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait()
            for stream in filter(None, (process.stdin, process.stdout)):
                stream.close()


class Container(Namespace):
    """A container on the host's bridge, running `argv`; the driver's first words are `facts`."""

    def __init__(self, world: World, container_id: str, *argv: str, **order: object) -> None:
        order = {"id": container_id, "root": world.root, **order}
        driver = [*PYTHON, f"{HERE}/network_driver.py", json.dumps(order)]
        self.world = world
        self.driver = world.host.start(*world.confine, *driver, *(argv or ("sleep", "600")))
        self.processes: list[subprocess.Popen[str]] = []
        self.facts = json.loads(self.driver.stdout.readline() or "{}")
        self.hosts = f"{world.root}/{container_id}/hosts"

    def argv(self, *argv: str) -> list[str]:
        return ["nsenter", f"--net=/proc/{self.facts['pid']}/ns/net", *argv]

    @property
    def address(self) -> str:
        found = json.loads(self.run("ip", "-j", "-4", "address", "show", "dev", "eth0"))
        return found[0]["addr_info"][0]["local"]

    def stop(self) -> int:
        self.driver.stdin.close()
        return self.driver.wait(30)

    def kill(self) -> None:
        """End init and the runtime at once: nobody tidies up."""
        self.driver.kill()
        self.driver.wait()
        if "pid" in self.facts:
            os.kill(self.facts["pid"], 9)


class World:
    """The host's and the outside's namespace, and the containers of one test."""

    def __init__(self) -> None:
        self.root = tempfile.mkdtemp()
        self.confine: list[str] = []
        self.host, self.outside = Namespace(), Namespace()
        self.containers: list[Container] = []
        self.host.shell(
            "echo 0 >/proc/sys/net/ipv4/ip_forward\n"  # a new namespace inherits the machine's
            f"ip link add up0 type veth peer name eth0 netns {self.outside.holder.pid}\n"
            f"ip address add {HOST}/24 dev up0; ip link set up0 up"
        )
        self.outside.shell(f"ip address add {OUTSIDE}/24 dev eth0; ip link set eth0 up")
        self.host.shell(f"ip route add default via {OUTSIDE}")

    def container(self, container_id: str, *argv: str, **order: object) -> Container:
        made = Container(self, container_id, *argv, **order)
        self.containers.append(made)
        return made

    def server(self, container_id: str, port: int, *udp: str, **order: object) -> Container:
        """A container that answers on `port`."""
        made = self.container(container_id, *PEER, "serve", str(port), *udp, **order)
        assert made.driver.stdout.readline() == "ready\n"
        return made

    def links(self) -> set[str]:
        return {link["ifname"] for link in json.loads(self.host.run("ip", "-j", "link"))}

    def register(self) -> dict[str, dict[str, str]]:
        """The register's endpoints, as a reader of the file sees them."""
        (name,) = [n for n in os.listdir(f"{self.root}/networks") if n.endswith(".json")]
        with open(f"{self.root}/networks/{name}") as file:
            return json.load(file)["endpoints"]

    def close(self) -> None:
        for made in self.containers:
            if made.driver.poll() is None:
                made.stop()
            made.close()
        self.host.close()
        self.outside.close()
        shutil.rmtree(self.root)
