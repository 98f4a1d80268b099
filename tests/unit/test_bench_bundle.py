"""The parts of the benchmarks of runtimes that need none: the bundle, mount tables, sums."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import apart
from bench.metrics import OCI, oci_crowd, oci_waiting
from bench.subjects import bundle, driven
from bench.subjects.place import Place
from minirt.linux.mountinfo import Mount

PLACE = Place("/tree", "/scratch")
RUNTIMES = {"minirt-oci", "runc", "crun"}


def mount(path: str, fstype: str) -> Mount:
    return Mount(f"1 0 0:1 / {path} rw - {fstype} none rw")


def test_the_bundle_has_nothing_of_the_machine_it_was_recorded_on() -> None:
    document = bundle.template("/tree", Path("/scratch"))
    text = json.dumps(bundle.of_container(document, "bench-1", ["/work", "mark"]))
    assert "/var/lib" not in text
    assert "601ca1e2ddbc" not in text
    assert "hooks" not in document
    assert document["root"] == {"path": "/tree", "readonly": True}


def test_the_bundle_asks_for_all_that_docker_asks_for_and_limits() -> None:
    document = bundle.template("/tree", Path("/scratch"))
    linux, mounts = document["linux"], {each["destination"]: each for each in document["mounts"]}
    assert mounts["/sys/fs/cgroup"]["type"] == "cgroup"
    assert {name for name, each in mounts.items() if each["type"] == "bind"} == {
        "/etc/resolv.conf", "/etc/hostname", "/etc/hosts",
    }  # fmt: skip
    assert mounts["/etc/hosts"]["source"] == "/scratch/hosts"
    assert len(linux["maskedPaths"]) == 10
    assert len(linux["seccomp"]["syscalls"]) >= 12
    assert {"memory", "pids", "cpu", "devices"} <= set(linux["resources"])
    assert "rlimits" not in document["process"]
    facts = bundle.facts()
    assert (facts["mounts"], facts["masked paths"]) == (len(mounts), 10)


def test_each_container_has_a_cgroup_and_a_program_of_its_own() -> None:
    document = bundle.template("/tree", Path("/scratch"))
    one, other = (bundle.of_container(document, name, [name]) for name in ("a", "b"))
    assert (one["linux"]["cgroupsPath"], other["linux"]["cgroupsPath"]) == ("/a", "/b")
    assert (one["process"]["args"], other["process"]["args"]) == (["a"], ["b"])
    assert "cgroupsPath" not in document["linux"] or document["linux"]["cgroupsPath"] != "/b"


def test_on_another_machine_the_filter_is_that_machines() -> None:
    seccomp = bundle.template("", Path(), "aarch64")["linux"]["seccomp"]
    assert "SCMP_ARCH_AARCH64" in seccomp["architectures"]
    assert len(seccomp["syscalls"]) >= 12
    seccomp = bundle.template("", Path(), bundle.RECORDED_ON)["linux"]["seccomp"]
    assert seccomp == bundle.recorded()["linux"]["seccomp"]


@pytest.mark.parametrize(
    ("table", "wanted"),
    [
        ([("/sys/fs/cgroup", "cgroup2")], []),
        ([("/sys/fs/cgroup/cpu", "cgroup")], []),
        ([("/c/cpu", "cgroup"), ("/c/unified", "cgroup2"), ("/", "ext4")], ["/c/unified"]),
    ],
)
def test_only_a_version_2_beside_version_1_is_unmounted(
    table: list[tuple[str, str]], wanted: list[str]
) -> None:
    assert apart.beside_version_1([mount(*each) for each in table]) == wanted


def test_a_quick_run_has_every_runtime_and_a_crowd_of_ours_alone() -> None:
    subjects = driven.every(PLACE)
    for metric in OCI:
        for full in (False, True):
            settings = metric.settings(full=full)
            measured = {
                name
                for name, subject in subjects.items()
                if all(metric.about(subject, setting, full=full) for setting in settings)
            }
            alone = metric.name == "oci-crowd" and not full
            wanted = {"minirt-oci"} if alone else RUNTIMES
            assert measured - {"process"} == wanted, metric.name
            assert ("process" in measured) == (metric.name == "oci-run")


def test_a_crowd_is_compared_with_none_after_the_same_gap() -> None:
    for full, crowd in ((False, 20), (True, 200)):
        settings = oci_crowd.OciCrowd().settings(full=full)
        assert [each["running"] for each in settings] == [0, crowd]
        assert len({each["gap_s"] for each in settings}) == 1


def test_the_memory_of_what_waits_is_that_of_all_its_processes() -> None:
    one = {"Rss": 4096, "Pss": 2048, "Private_Clean": 0, "Private_Dirty": 1024}
    assert oci_waiting.added([one, {**one, "Rss": 1}]) == {
        "Rss": 4097, "Pss": 4096, "Private_Clean": 0, "Private_Dirty": 2048,
    }  # fmt: skip
