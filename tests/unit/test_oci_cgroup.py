"""Where the cgroup of a container is put: by path, by systemd, or nowhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from minirt.errors import ConfigError, HostError
from minirt.linux import systemd
from minirt.oci import cgroup
from minirt.oci.call import GLOBAL
from minirt.oci.parser import parse

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def _systemd(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As if systemd ran here; nothing is asked of it."""
    monkeypatch.setattr(systemd, "RUNNING", str(tmp_path))


def linux(path: str, manager: str = cgroup.CGROUPFS, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"cgroupsPath": path, **more}
    placed: dict[str, Any] = dict(cgroup.placed({"linux": given}, "12ab34cd", "web", manager))
    return placed


@pytest.mark.parametrize(
    ("words", "manager"),
    [
        ([], "cgroupfs"),
        (["--systemd-cgroup"], "systemd"),
        (["--systemd-cgroup=false"], "cgroupfs"),
        (["--cgroup-manager", "disabled"], "disabled"),
        (["--cgroup-manager=systemd"], "systemd"),
    ],
)
def test_the_options_say_who_makes_it(words: list[str], manager: str) -> None:
    assert cgroup.manager(parse(words, GLOBAL)) == manager


@pytest.mark.parametrize("path", ["/a/b", "a/b"])
def test_a_path_stays(path: str) -> None:
    assert linux(path)["linux"]["cgroupsPath"] == path


def test_an_absent_path_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert linux("")["linux"]["cgroupsPath"] == "/minirt-12ab34cd/web"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert linux("")["linux"]["cgroupsPath"] == ""
    limited = linux("", resources={"pids": {"limit": 1}})
    assert limited["linux"]["cgroupsPath"] == "minirt-12ab34cd/web"


@pytest.mark.usefixtures("_systemd")
@pytest.mark.parametrize(
    ("path", "slice_", "unit", "place"),
    [
        (
            "",
            "system.slice",
            "minirt-web-12ab34cd.scope",
            "/system.slice/minirt-web-12ab34cd.scope",
        ),
        ("a-b.slice:p:n", "a-b.slice", "p-n.scope", "/a.slice/a-b.slice/p-n.scope"),
        ("-.slice::n", "-.slice", "n.scope", "/n.scope"),
    ],
)
def test_for_systemd_the_path_is_slice_prefix_and_name(
    path: str, slice_: str, unit: str, place: str
) -> None:
    placed = linux(path, cgroup.SYSTEMD)
    assert placed["linux"]["cgroupsPath"] == f"{place}/container"
    assert placed["minirt"]["scope"] == {"slice": slice_, "unit": unit, "path": place}


@pytest.mark.usefixtures("_systemd")
@pytest.mark.parametrize("path", ["/a/b", "a.slice:b", "a.slice:b:", "a--b.slice:b:c", "a:b:c"])
def test_another_path_is_refused_for_systemd(path: str) -> None:
    with pytest.raises(ConfigError, match="/linux/cgroupsPath"):
        linux(path, cgroup.SYSTEMD)


def test_systemd_where_it_does_not_run_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(systemd, "RUNNING", str(tmp_path / "no"))
    with pytest.raises(HostError, match="systemd does not run here"):
        linux("", cgroup.SYSTEMD)
