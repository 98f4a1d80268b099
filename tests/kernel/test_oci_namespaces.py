"""`linux.namespaces` and what belongs to single ones, asked of the kernel."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from oci import Runtime

from minirt.linux.process import alive, start_time
from minirt.spec.namespaces import NAMESPACES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAP = [{"containerID": 0, "hostID": 100_000, "size": 65_536}]
JOINABLE = ("pid", "network", "ipc", "uts", "cgroup", "time", "mount")


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    return Runtime(tmp_path, "sleep", "100")


def inode(pid: int | str, kind: str) -> str:
    return os.readlink(f"/proc/{pid}/ns/{NAMESPACES[kind]}")


@contextmanager
def other(*options: str) -> Iterator[int]:
    """A process in namespaces of its own, by unshare(1); its pid."""
    child = ["--kill-child"] if "--fork" in options else []
    argv = ["unshare", *options, *child, "sh", "-c", "echo ready; exec sleep 100"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process.pid
        finally:
            process.kill()


def everything(runtime: Runtime) -> None:
    runtime.config["linux"] |= {
        "namespaces": [{"type": kind} for kind in NAMESPACES],
        "uidMappings": MAP, "gidMappings": MAP,
    }  # fmt: skip
    for directory in (runtime.bundle, *list(runtime.bundle.parents)[:3]):
        directory.chmod(directory.stat().st_mode | 0o055)  # user 100000 must reach the root


def test_all_eight_are_new(runtime: Runtime, tmp_path: Path) -> None:
    everything(runtime)
    pid = runtime.start("c1", tmp_path / "out")
    found = {kind: inode(pid, kind) for kind in NAMESPACES}
    assert all(found[kind] != inode("self", kind) for kind in NAMESPACES), found
    with open(f"/proc/{pid}/uid_map", encoding="ascii") as maps:
        assert maps.read().split() == ["0", "100000", "65536"]
    runtime.must("delete", "--force", "c1")


def test_what_is_not_listed_is_the_runtimes(runtime: Runtime, tmp_path: Path) -> None:
    runtime.config["linux"]["namespaces"] = [{"type": "mount"}]
    del runtime.config["hostname"]
    pid = runtime.start("c1", tmp_path / "out")
    for kind in NAMESPACES:
        same = inode(pid, kind) == inode("self", kind)
        assert same == (kind != "mount"), kind
    runtime.must("delete", "--force", "c1")


def test_without_a_pid_namespace_all_processes_go_as_well(runtime: Runtime, tmp_path: Path) -> None:
    listed = [e for e in runtime.config["linux"]["namespaces"] if e["type"] != "pid"]
    runtime.config["linux"]["namespaces"] = listed
    runtime.config["process"]["args"] = ["sh", "-c", "sleep 100 & echo $!; wait"]
    output = tmp_path / "out"
    runtime.start("c1", output)
    while not (text := output.read_text()):
        pass
    second, started = int(text), start_time(int(text))
    assert alive(second, started)
    runtime.must("delete", "--force", "c1")
    assert not alive(second, started)


OPTIONS = {"pid": ("--pid", "--fork"), "network": ("--net",), "cgroup": ("--cgroup",)}


@pytest.mark.parametrize("kind", [kind for kind in JOINABLE if kind != "mount"])
def test_one_is_joined_by_path(runtime: Runtime, tmp_path: Path, kind: str) -> None:
    with other(*OPTIONS.get(kind, (f"--{kind}", *(("--fork",) if kind == "time" else ())))) as pid:
        name = {"pid": "pid_for_children", "time": "time_for_children"}.get(kind, NAMESPACES[kind])
        path = f"/proc/{pid}/ns/{name}"
        listed = [e for e in runtime.config["linux"]["namespaces"] if e["type"] != kind]
        runtime.config["linux"]["namespaces"] = [*listed, {"type": kind, "path": path}]
        if kind == "uts":
            del runtime.config["hostname"]
        inside = runtime.start("c1", tmp_path / "out")
        assert inode(inside, kind) == os.readlink(path)
        runtime.must("delete", "--force", "c1")


@pytest.mark.parametrize("kind", [*JOINABLE, "user"])
def test_a_path_of_another_type_is_refused(runtime: Runtime, kind: str) -> None:
    wrong = "/proc/self/ns/" + ("ipc" if kind != "ipc" else "net")
    listed = [e for e in runtime.config["linux"]["namespaces"] if e["type"] != kind]
    runtime.config["linux"]["namespaces"] = [*listed, {"type": kind, "path": wrong}]
    said = runtime.refusal()
    assert f"{wrong} is no namespace of the type" in said


def test_a_path_to_no_namespace_at_all_is_refused(runtime: Runtime) -> None:
    runtime.config["linux"]["namespaces"].append({"type": "cgroup", "path": "/etc/hostname"})
    assert "/etc/hostname is no namespace" in runtime.refusal()
    runtime.config["linux"]["namespaces"][-1]["path"] = "/nowhere"
    assert "/nowhere" in runtime.refusal()


def test_a_user_namespace_is_joined_with_others_that_it_owns(
    runtime: Runtime, tmp_path: Path
) -> None:
    everything(runtime)
    runtime.start("c1", tmp_path / "out")
    pid = runtime.state("c1")["pid"]
    shared = ("user", "network", "ipc", "uts")
    runtime.config["linux"]["namespaces"] = [
        {"type": kind, **({"path": f"/proc/{pid}/ns/{NAMESPACES[kind]}"} if kind in shared else {})}
        for kind in NAMESPACES
    ]
    second = runtime.start("c2", tmp_path / "out2")
    for kind in NAMESPACES:
        assert (inode(second, kind) == inode(pid, kind)) == (kind in shared), kind
    for name in ("c2", "c1"):
        runtime.must("delete", "--force", name)


def test_the_clocks_of_a_time_namespace_are_ahead(runtime: Runtime, tmp_path: Path) -> None:
    runtime.config["linux"]["namespaces"].append({"type": "time"})
    runtime.config["linux"]["timeOffsets"] = {
        "monotonic": {"secs": 172_800, "nanosecs": 5}, "boottime": {"secs": -10},
    }  # fmt: skip
    pid = runtime.start("c1", tmp_path / "out")
    with open(f"/proc/{pid}/timens_offsets", encoding="ascii") as offsets:
        assert offsets.read().split() == ["monotonic", "172800", "5", "boottime", "-10", "0"]
    before = uptime()
    inside = float(runtime.must("exec", "c1", "cat", "/proc/uptime").split()[0])
    assert before <= inside + 10 <= uptime() + 0.02  # figures that are cut to 0.01 s
    runtime.must("delete", "--force", "c1")


def uptime() -> float:
    with open("/proc/uptime", encoding="ascii") as file:
        return float(file.read().split()[0])


def test_a_device_of_the_host_moves_inside_with_its_addresses(
    runtime: Runtime, tmp_path: Path
) -> None:
    ip("link", "add", "mrtest0", "type", "veth", "peer", "name", "mrtest1")
    try:
        ip("address", "add", "10.234.5.6/24", "dev", "mrtest0")
        ip("link", "set", "mrtest0", "up")
        runtime.config["linux"]["netDevices"] = {"mrtest0": {"name": "inner0"}}
        pid = runtime.start("c1", tmp_path / "out")
        assert not os.path.exists("/sys/class/net/mrtest0")
        found = ip("-json", "address", "show", "dev", "inner0", netns=pid)
        (device,) = json.loads(found)
        assert "UP" in device["flags"]
        assert [a["local"] for a in device["addr_info"] if a["family"] == "inet"] == ["10.234.5.6"]
        runtime.must("delete", "--force", "c1")
    finally:
        subprocess.run(["ip", "link", "del", "mrtest1"], check=False, capture_output=True)


def test_a_device_that_the_host_does_not_have_is_refused(runtime: Runtime) -> None:
    runtime.config["linux"]["netDevices"] = {"nodev0": {}}
    assert "/linux/netDevices/nodev0: the host has no such device" in runtime.refusal()


def ip(*words: str, netns: int = 0) -> str:
    enter = ["nsenter", f"--net=/proc/{netns}/ns/net"] if netns else []
    argv = [*enter, "ip", *words]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def test_the_memory_policy_is_the_programs(runtime: Runtime, tmp_path: Path) -> None:
    runtime.config["linux"]["memoryPolicy"] = {"mode": "MPOL_BIND", "nodes": "0"}
    pid = runtime.start("c1", tmp_path / "out")
    with open(f"/proc/{pid}/numa_maps", encoding="ascii") as maps:
        assert "bind:0" in maps.read()
    runtime.must("delete", "--force", "c1")


def test_what_is_not_managed_is_refused(runtime: Runtime) -> None:
    runtime.config["linux"]["intelRdt"] = {"closID": "a"}
    assert "/linux/intelRdt: minirt does not divide caches" in runtime.refusal()
