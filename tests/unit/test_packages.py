"""Which system packages are missing, and the command that installs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minirt.host import packages
from minirt.host.packages import Need

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_program_that_is_there_is_not_missing() -> None:
    assert Need("run", "coreutils", "ls", "listing").is_met()
    assert not Need("run", "nothing", "no-such-program", "nothing").is_met()


def test_a_shared_library_is_found_by_its_name() -> None:
    assert Need("run", "libc6", "libc.so.6", "everything").is_met()
    assert not Need("run", "nothing", "libnothing.so.7", "nothing").is_met()


def test_a_static_library_is_found_among_libraries_and_not_programs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    need = Need("bench", "libc6-dev", "libc.a", "static programs")
    monkeypatch.setattr(packages, "LIBRARIES", (str(tmp_path),))
    assert not need.is_met()
    (tmp_path / "libc.a").touch()
    assert need.is_met()


def test_what_benchmarks_need_tests_need_too() -> None:
    bench, test = packages.missing(["bench"]), packages.missing(["test"])
    assert {need.package for need in bench} <= {need.package for need in test}


def test_only_what_the_purpose_needs_is_asked_for() -> None:
    needed = {need.package for need in packages.NEEDS if need.purpose == "run"}
    assert {need.package for need in packages.missing(["run"])} <= needed
    assert packages.missing([]) == []


def test_the_command_to_type_names_each_package_once() -> None:
    needs = [Need("run", "zstd", "zstd", "a"), Need("run", "zstd", "unzstd", "b")]
    assert packages.command(needs) == [
        "apt-get", "install", "-y", "--no-install-recommends", "zstd",
    ]  # fmt: skip
