"""--cpus, --memory, --pids and --io-bps, as a person writes them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from minirt.errors import ConfigError
from minirt.resources import LEAST_MEMORY, from_options, whole_disk


def test_no_option_is_no_limit() -> None:
    assert from_options() == {}


@pytest.mark.parametrize(
    ("cpus", "quota"), [("0.5", 50_000), ("2", 200_000), (".25", 25_000), ("0.01", 1_000)]
)
def test_cpus_are_a_quota_of_each_period(cpus: str, quota: int) -> None:
    assert from_options(cpus=cpus) == {"cpu": {"quota": quota, "period": 100_000}}


@pytest.mark.parametrize(
    ("memory", "limit"),
    [
        ("64m", 64 << 20),
        ("64M", 64 << 20),
        ("64mb", 64 << 20),
        ("64MiB", 64 << 20),
        ("1g", 1 << 30),
        ("8192k", 8 << 20),
        ("67108864", 64 << 20),
        ("67108864b", 64 << 20),
    ],
)
def test_memory_counts_swap_too(memory: str, limit: int) -> None:
    assert from_options(memory=memory) == {"memory": {"limit": limit, "swap": limit}}


def test_pids_are_a_number() -> None:
    assert from_options(pids="100") == {"pids": {"limit": 100}}


def numbers(name: str) -> tuple[int, int]:
    major, _, minor = Path(f"/sys/class/block/{name}/dev").read_text().partition(":")
    return int(major), int(minor)


def test_a_partition_is_limited_by_its_disk() -> None:
    for partition in Path("/sys/class/block").glob("*/partition"):
        disk = partition.resolve().parent.parent.name
        device = os.makedev(*numbers(partition.parent.name))
        assert whole_disk(device, "/") == numbers(disk)
    for disk in os.listdir("/sys/block"):
        assert whole_disk(os.makedev(*numbers(disk)), "/") == numbers(disk)


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        ("cpus", "half", "is not a number of CPUs"),
        ("cpus", "1.5.2", "is not a number of CPUs"),
        ("cpus", "nan", "is not a number of CPUs"),
        ("cpus", ".", "is not a number of CPUs"),
        ("cpus", "-1", "is not a number of CPUs"),
        ("cpus", "0.001", "is not between"),
        ("cpus", "9" * 400, "is not between"),
        ("memory", "much", "is not a number of bytes"),
        ("memory", "64q", "is not a number of bytes"),
        ("memory", "6.5m", "is not a number of bytes"),
        ("memory", "64bm", "is not a number of bytes"),
        ("memory", "²m", "is not a number of bytes"),
        ("memory", str(LEAST_MEMORY - 1), "is less than"),
        ("memory", "9999999999999g", "is more than there can be"),
        ("pids", "0", "is not between"),
        ("pids", "many", "is not a whole number"),
        ("pids", "9" * 30, "is not a whole number"),
        ("io_bps", "fast", "is not a number of bytes"),
        ("io_bps", "0", "would stop"),
        ("io_bps", "/dev/null:8m", "is not a disk"),
        ("io_bps", "/no/such/disk:8m", "No such file"),
    ],
)
def test_a_wrong_value_names_option_cause_and_remedy(option: str, value: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        from_options(**{option: value})
    assert caught.value.pointer == "--" + option.replace("_", "-")
    assert caught.value.hint


def test_a_file_system_without_a_disk_is_told_apart() -> None:
    with pytest.raises(ConfigError, match="is not on exactly one disk"):
        from_options(io_bps="8m", disk_of="/proc")
