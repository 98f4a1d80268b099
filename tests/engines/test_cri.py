"""Kubernetes' side of containerd: a pod's containers join the namespaces of its sandbox by path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from buildah import buildah
from containerd import Containerd
from cri import EXIT_CODE, EXITED, NAME, NAMESPACE, NETWORK_IP, RUNNING, STATE, UID, Client
from engine import IMAGE, fetched, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAUSE = "docker.io/library/pause:latest"
SERVE = ["httpd", "-f", "-p", "80", "-h", "/etc"]
MEMORY = 64 << 20


def pause_image(where: Path, archive: Path, launcher: str) -> Path:
    """The archive of an image that does nothing, which is all that a sandbox is for."""
    builder = buildah(where, archive, launcher)
    name = builder.must("from", "--pull-never", IMAGE)
    builder.must("config", "--cmd", '["/bin/sleep", "1000000"]', name)
    made = where / "pause.tar"
    builder.must("commit", "--quiet", name, f"docker-archive:{made}:{PAUSE}")
    builder.must("rm", name)
    return made


@pytest.fixture(scope="module")
def cri(scratch: Path, archive: Path, launcher: str) -> Iterator[Client]:
    pause = pause_image(scratch / "pause", archive, launcher)
    server = Containerd(scratch / "containerd-cri", launcher, PAUSE)
    client = Client(server.socket)
    try:
        for image in (pause, archive):
            server.ctr("k8s.io").must("image", "import", str(image))
        yield client
    finally:
        client.channel.close()
        server.daemon.stop()


@pytest.fixture
def pod(cri: Client, scratch: Path) -> Iterator[tuple[str, dict[int, Any]]]:
    """A sandbox: its id, and its configuration."""
    metadata = {NAME: "pod", UID: "uid-1", NAMESPACE: "default"}
    config = {1: metadata, 2: "in-a-pod", 3: str(scratch), 8: {1: "/minirt-engines"}}
    identifier = cri.text("RunPodSandbox", {1: config, 2: "minirt"}, 1)
    yield identifier, config
    cri.call("StopPodSandbox", {1: identifier})
    cri.call("RemovePodSandbox", {1: identifier})


def started(cri: Client, pod: tuple[str, dict[int, Any]], *command: str) -> str:
    """Create and start a container in the pod; its id."""
    config = {1: {NAME: "c1"}, 2: {1: IMAGE}, 3: list(command), 11: "c1.log", 15: {1: {4: MEMORY}}}
    identifier = cri.text("CreateContainer", {1: pod[0], 2: config, 3: pod[1]}, 1)
    cri.call("StartContainer", {1: identifier})
    return identifier


def inside(cri: Client, container: str, *command: str) -> str:
    return cri.text("ExecSync", {1: container, 2: list(command), 3: 20}, 1)


def test_http_to_a_pod(cri: Client, pod: tuple[str, dict[int, Any]]) -> None:
    started(cri, pod, *SERVE)
    address = cri.text("PodSandboxStatus", {1: pod[0]}, *NETWORK_IP)
    assert address.startswith("10.89.")
    until(lambda: fetched(f"http://{address}/motd").startswith("Welcome"))


def test_exec_in_the_namespaces_of_the_pod(cri: Client, pod: tuple[str, dict[int, Any]]) -> None:
    container = started(cri, pod, "sleep", "600")
    assert inside(cri, container, "hostname") == "in-a-pod\n"
    # The pid namespace is the pod's: its first process is the sandbox's.
    assert "sleep 1000000" in inside(cri, container, "ps", "-o", "pid,args")
    status = {1: container, 2: ["sh", "-c", "exit 9"], 3: 20}
    assert cri.value("ExecSync", status, 3) == 9
    limit = inside(cri, container, "sh", "-c", "cat /sys/fs/cgroup/memory*/memory.limit_in_bytes")
    assert int(limit) == MEMORY


def test_the_life_of_a_container(cri: Client, pod: tuple[str, dict[int, Any]]) -> None:
    container = started(cri, pod, "sleep", "600")
    assert cri.value("ContainerStatus", {1: container}, *STATE) == RUNNING
    cri.call("StopContainer", {1: container, 2: 1})
    assert cri.value("ContainerStatus", {1: container}, *STATE) == EXITED
    assert cri.value("ContainerStatus", {1: container}, *EXIT_CODE) in (137, 143)
    cri.call("RemoveContainer", {1: container})
    other = started(cri, pod, "sh", "-c", "exit 3")
    until(lambda: cri.value("ContainerStatus", {1: other}, *STATE) == EXITED)
    assert cri.value("ContainerStatus", {1: other}, *EXIT_CODE) == 3
