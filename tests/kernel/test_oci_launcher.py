"""The launcher that `minirt oci install` writes, and what engines are told of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from minirt.linux import mountinfo
from minirt.oci import install, interpreter

if TYPE_CHECKING:
    from pathlib import Path


def minirt(*words: str, state: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-I", "-m", "minirt", *words],
        capture_output=True, text=True, check=True, env={"MINIRT_STATE": str(state)},
    )  # fmt: skip
    return done.stdout


def place_of(launcher: Path) -> str:
    """Where the interpreter that it starts from is mounted."""
    return launcher.read_text().splitlines()[0].removeprefix("#!").partition(" ")[0]


def call(launcher: Path, **options: object) -> str:
    """One call with nothing in its environment, from the directory /."""
    done = subprocess.run(
        [str(launcher), "--version"], capture_output=True, text=True, check=True, env={}, cwd="/",
        **options,
    )  # fmt: skip
    return done.stdout


def mounts(state: Path) -> list[str]:
    return [m.mountpoint for m in mountinfo.mounts() if m.mountpoint.startswith(str(state))]


@pytest.fixture
def state(playground: Path) -> Path:
    return playground / "state"


def test_it_works_with_nothing_and_protects_itself_at_the_first_call(state: Path) -> None:
    target, before = state / "minirt-oci", list(state.iterdir())
    minirt("oci", "install", "--to", str(target), state=state)
    first, place = target.read_text().splitlines()[0], place_of(target)
    assert first == f"#!{place} -IS"
    assert place.startswith(f"{state}/oci/")
    assert mounts(state) == []
    assert call(target).startswith("minirt-oci version ")
    assert mounts(state) == [place]
    assert call(target).startswith("minirt-oci version ")
    assert len(mounts(state)) == 1
    assert os.statvfs(place).f_flag & os.ST_RDONLY
    minirt("oci", "uninstall", "--to", str(target), state=state)
    assert (mounts(state), list(state.iterdir())) == ([], before)


def test_gc_all_takes_the_mount_away_and_the_next_call_makes_it_again(state: Path) -> None:
    target = state / "minirt-oci"
    minirt("oci", "install", "--to", str(target), state=state)
    call(target)
    assert install.guard.release(place_of(target))
    assert mounts(state) == []
    call(target)
    assert len(mounts(state)) == 1
    minirt("oci", "uninstall", "--to", str(target), state=state)


def test_another_interpreter_takes_the_place_of_an_old_one(state: Path) -> None:
    """A package's update puts a new file where the mounted one was."""
    target = state / "minirt-oci"
    minirt("oci", "install", "--to", str(target), "--python", sys.executable, state=state)
    place = place_of(target)
    assert install.guard.mounted(place, "/bin/true")
    script = target.read_text().replace(f"#!{place}", f"#!{os.path.realpath(sys.executable)}", 1)
    target.write_text(script)
    call(target)
    assert os.path.samestat(os.stat(place), os.stat(os.path.realpath(sys.executable)))
    assert len(mounts(state)) == 1
    minirt("oci", "uninstall", "--to", str(target), state=state)


def test_a_long_path_goes_by_way_of_sh(playground: Path) -> None:
    state = playground / "state" / ("long" * 40)
    target = playground / "state" / "minirt-oci"
    minirt("oci", "install", "--to", str(target), state=state)
    assert target.read_text().startswith("#!/bin/sh\n")
    assert call(target).startswith("minirt-oci version ")
    assert call(target).startswith("minirt-oci version ")
    minirt("oci", "uninstall", "--to", str(target), state=state)
    state.rmdir()


def test_engines_are_told_once_and_keep_what_they_have(state: Path, tmp_path: Path) -> None:
    target = state / "minirt-oci"
    docker, containerd = tmp_path / "docker/daemon.json", tmp_path / "containerd/config.toml"
    docker.parent.mkdir()
    docker.write_text('{"debug": true, "runtimes": {"other": {"path": "/x"}}}')
    words = ("oci", "install", "--to", str(target), "--etc", str(tmp_path))
    printed = minirt(*words, state=state)
    assert "handler: minirt" in printed
    assert str(target) in printed
    assert not containerd.exists()
    minirt(*words, "--write", state=state)
    again = minirt(*words, "--write", state=state)
    assert again.count("already so") == 3

    found = json.loads(docker.read_text())
    assert found["debug"] is True
    assert found["runtimes"] == {"other": {"path": "/x"}, "minirt": {"path": str(target)}}
    podman = tomllib.loads((tmp_path / "containers/containers.conf.d/minirt.conf").read_text())
    assert podman["engine"]["runtimes"]["minirt"] == [str(target)]
    parsed = tomllib.loads(containerd.read_text())
    cri = parsed["plugins"]["io.containerd.grpc.v1.cri"]["containerd"]["runtimes"]["minirt"]
    assert (parsed["version"], cri["options"]["BinaryName"]) == (2, str(target))
    minirt("oci", "uninstall", "--to", str(target), state=state)


def test_the_newer_containerd_has_another_name_for_its_plugin(state: Path, tmp_path: Path) -> None:
    target = state / "minirt-oci"
    config = tmp_path / "containerd/config.toml"
    config.parent.mkdir()
    config.write_text('version = 3\nroot = "/x"\n')
    minirt("oci", "install", "--to", str(target), "--etc", str(tmp_path), "--write", state=state)
    parsed = tomllib.loads(config.read_text())
    assert parsed["root"] == "/x"
    assert "minirt" in parsed["plugins"]["io.containerd.cri.v1.runtime"]["containerd"]["runtimes"]
    minirt("oci", "uninstall", "--to", str(target), state=state)


def test_the_interpreter_is_the_systems_or_one_that_is_clearly_quicker(state: Path) -> None:
    target = state / "minirt-oci"
    said = minirt("oci", "install", "--to", str(target), state=state)
    found = [line.split() for line in said.splitlines() if ", ready in " in line]
    assert [words[0] for words in found] == ["runs:", *["ignored:"] * (len(found) - 1)]
    times = {words[1].rstrip(","): float(words[-2]) for words in found}
    taken = found[0][1].rstrip(",")
    system = os.path.realpath(interpreter.SYSTEM)
    if taken != system and interpreter.is_for_all(system):
        assert times[taken] <= times[system] * interpreter.CLEARLY + 0.1
    call(target)
    assert os.path.samefile(place_of(target), taken)
    minirt("oci", "uninstall", "--to", str(target), state=state)


def test_what_ordinary_users_cannot_reach_is_not_for_all(tmp_path: Path) -> None:
    inside = tmp_path / "python"
    shutil.copy("/bin/true", inside)
    for directory in (tmp_path, *tmp_path.parents):
        if not directory.stat().st_mode & 1:
            directory.chmod(0o755)
    assert interpreter.is_for_all(str(inside))
    tmp_path.chmod(0o700)
    assert not interpreter.is_for_all(str(inside))


def test_what_is_no_launcher_is_neither_replaced_nor_removed(state: Path) -> None:
    target = state / "mine"
    target.write_text("mine\n")
    for path in (target, state):
        for verb in ("install", "uninstall"):
            with pytest.raises(subprocess.CalledProcessError) as refused:
                minirt("oci", verb, "--to", str(path), state=state)
            assert f"{path} is there already, and no launcher of minirt" in refused.value.stderr
    assert target.read_text() == "mine\n"
    target.unlink()


@pytest.mark.parametrize("python", ["/bin/true", "/nothing", "/usr/bin/env"])
def test_an_interpreter_that_is_none_is_refused(state: Path, python: str) -> None:
    before = sorted(state.rglob("*"))
    words = ("oci", "install", "--to", str(state / "minirt-oci"), "--python", python)
    with pytest.raises(subprocess.CalledProcessError) as refused:
        minirt(*words, state=state)
    assert f"{os.path.realpath(python)} cannot run minirt" in refused.value.stderr
    assert sorted(state.rglob("*")) == before


def test_launchers_of_two_interpreters_do_not_disturb_each_other(
    state: Path, tmp_path: Path
) -> None:
    before = sorted(state.rglob("*"))
    copy = tmp_path / "python"
    shutil.copy(os.path.realpath(sys.executable), copy)
    own, other, third = (state / name for name in ("own", "other", "third"))
    for target, python in ((own, sys.executable), (other, str(copy)), (third, sys.executable)):
        minirt("oci", "install", "--to", str(target), "--python", python, state=state)
    for target in (own, other, third, own):
        assert call(target).startswith("minirt-oci version ")
    assert len(mounts(state)) == 2
    minirt("oci", "uninstall", "--to", str(own), state=state)
    assert call(third).startswith("minirt-oci version ")
    assert call(other).startswith("minirt-oci version ")
    for target in (third, other):
        minirt("oci", "uninstall", "--to", str(target), state=state)
    assert (mounts(state), sorted(state.rglob("*"))) == ([], before)
