"""The record of a container: one owner, whole or not at all, and no trust in what is read."""

from __future__ import annotations

import multiprocessing
import os
from typing import TYPE_CHECKING

import pytest

from minirt import state as states
from minirt import state_root
from minirt.errors import HostError, StateError
from minirt.linux.process import start_time
from minirt.state import State

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> str:
    return str(tmp_path / "state")


def lock_elsewhere(root: str, container_id: str) -> bool:
    """Whether another process could take the lock now."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(_try_lock, (root, container_id))


def _try_lock(root: str, container_id: str) -> bool:
    return State(root, container_id).lock(wait=False)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a b", "ü", "a\n"])
def test_an_id_is_a_plain_file_name(root: str, name: str) -> None:
    with pytest.raises(StateError, match="is not a container id"):
        State(root, name)


def test_an_id_is_as_long_as_a_file_name_may_be(root: str) -> None:
    longest = states.new(root, "x" * 255)
    longest.save()
    states.remove(longest)
    longest.unlock()
    with pytest.raises(StateError, match="has 256 letters") as caught:
        states.new(root, "x" * 256)
    assert "at most 255" in caught.value.hint


def test_what_is_saved_is_read_again(root: str) -> None:
    made = states.new(root, "web1")
    made.spec = {"process": {"args": ["true"]}}
    made.mechanisms, made.created = ("uts", "pid"), {"veth": "mr1", "cgroup": ["/a", "/b"]}
    made.pid, made.start_time, made.status, made.foreground = 7, 8, states.CREATED, True
    made.save()
    read = State(root, "web1")
    read.load()
    for name in ("spec", "created", "pid", "start_time", "status", "foreground", "boot_id"):
        assert getattr(read, name) == getattr(made, name)
    assert tuple(read.mechanisms) == made.mechanisms


def test_names_on_the_host_follow_from_root_and_id(root: str) -> None:
    assert State(root, "web1").key == State(root, "web1").key
    keys = {State(where, name).key for where in (root, "/x") for name in ("web1", "web2")}
    assert len(keys) == 4
    assert all(len(key) == 8 for key in keys)


def test_an_id_is_used_once(root: str) -> None:
    states.new(root, "web1")
    with pytest.raises(StateError, match="web1 exists already"):
        states.new(root, "web1")


def test_a_new_container_is_locked_until_its_maker_lets_go(root: str) -> None:
    made = states.new(root, "web1")
    assert not lock_elsewhere(root, "web1")
    made.unlock()
    assert lock_elsewhere(root, "web1")


def test_what_does_not_exist_cannot_be_locked_or_read(root: str) -> None:
    absent = State(root, "web1")
    assert not absent.lock(wait=False)
    with pytest.raises(StateError, match="does not exist"):
        absent.load()
    assert not os.path.exists(absent.directory)


DAMAGED = ("", "{", "[]", '"x"', '{"pid": "1"}', '{"nonsense": 1}', '{"mechanisms": {}}')


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_record_is_said_to_be(root: str, text: str) -> None:
    made = states.new(root, "web1")
    with open(f"{made.directory}/state.json", "w") as file:
        file.write(text)
    with pytest.raises(StateError, match="is damaged"):
        State(root, "web1").load()


def test_a_damaged_configuration_is_said_to_be_where_it_is_needed(root: str) -> None:
    made = states.new(root, "web1")
    made.spec = {}
    made.save()
    with open(f"{made.directory}/config.json", "w") as file:
        file.write("{")
    read = State(root, "web1")
    read.load()
    with pytest.raises(StateError, match="is damaged"):
        _ = read.spec


def test_a_container_whose_init_is_gone_has_stopped(root: str) -> None:
    made = State(root, "web1")
    made.pid, made.start_time = os.getpid(), start_time(os.getpid())
    for status in (states.CREATED, states.RUNNING):
        made.status = status
        assert made.current() == status
    made.start_time += 1  # another process that has its number now
    assert made.current() == states.STOPPED
    made.status = states.CREATING
    assert made.current() == states.CREATING


def test_a_number_of_another_boot_means_nothing(root: str) -> None:
    made = State(root, "web1")
    made.pid, made.start_time = os.getpid(), start_time(os.getpid())
    made.boot_id = "of another boot"
    assert not made.init_alive()


def test_removing_takes_everything_and_follows_no_link(root: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").touch()
    made = states.new(root, "web1")
    os.symlink(outside, f"{made.directory}/link")
    os.makedirs(f"{made.directory}/upper/a/b")
    os.symlink(outside, f"{made.directory}/upper/a/link")
    os.chmod(f"{made.directory}/upper/a", 0)
    states.remove(made)
    assert not os.path.exists(made.directory)
    assert (outside / "file").exists()


def test_removing_is_not_stopped_by_depth(root: str) -> None:
    made = states.new(root, "web1")
    here = os.open(made.directory, os.O_RDONLY)
    for _ in range(1200):  # deeper than recursion, and than a path can say
        os.mkdir("deep", dir_fd=here)
        below = os.open("deep", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    states.remove(made)
    assert list(states.every(root)) == []


def test_every_lists_containers_and_nothing_else(root: str) -> None:
    assert list(states.every(root)) == []
    for name in ("web2", "web1"):
        states.new(root, name)
    os.mkdir(f"{root}/not a container")
    assert [found.id for found in states.every(root)] == ["web1", "web2"]


def test_a_root_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HostError, match="cannot write to"):
        states.new(f"{tmp_path}/file/state", "web1")


def test_a_root_that_others_may_write_is_not_trusted(root: str) -> None:
    os.makedirs(root)
    os.chmod(root, 0o777)  # noqa: S103  (the purpose)
    with pytest.raises(HostError, match="another user"):
        states.new(root, "web1")


def test_the_root_is_chosen_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINIRT_STATE", "relative")
    assert state_root.default() == os.path.abspath("relative/containers")
    monkeypatch.delenv("MINIRT_STATE")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert state_root.default() == "/var/lib/minirt/containers"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/home/student")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert state_root.default().startswith("/home/student/")


def test_the_hash_of_a_name_stays_what_it_is() -> None:
    """It is in the names of devices that an older version has made (FNV-1a, 32 bits)."""
    assert states.fnv1a("") == 0x811C9DC5
    assert states.fnv1a("foobar") == 0xBF9CF968
