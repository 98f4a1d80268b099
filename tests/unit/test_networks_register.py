"""The register of the network: addresses under a lock, and who still lives."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from minirt.errors import HostError
from minirt.networks.register import Register

if TYPE_CHECKING:
    from pathlib import Path


def new(directory: Path, subnet: str = "10.77.0.0/22") -> Register:
    with Register(str(directory)) as register:
        register.subnet = subnet
    return register


def test_what_was_registered_is_there_for_the_next_reader(tmp_path: Path) -> None:
    new(tmp_path)
    with Register(str(tmp_path)) as register:
        assert register.join("a", os.getpid()) == "10.77.0.2"
        register.endpoints["a"].names = ("web",)
        register.endpoints["a"].ports = ("8080:80",)
    with Register(str(tmp_path)) as register:
        assert register.subnet == "10.77.0.0/22"
        assert register.endpoints["a"].address == "10.77.0.2"
        assert register.endpoints["a"].names == ("web",)
        assert register.endpoints["a"].ports == ("8080:80",)


def test_an_endpoint_whose_init_has_ended_is_gone(tmp_path: Path) -> None:
    new(tmp_path, "10.77.0.0/30")  # one address only
    init = subprocess.Popen(["sleep", "60"])
    with Register(str(tmp_path)) as register:
        register.join("a", init.pid)
    with Register(str(tmp_path)) as register, pytest.raises(HostError, match="taken"):
        register.join("b", os.getpid())
    init.kill()  # not reaped: a zombie is dead too
    os.waitid(os.P_PID, init.pid, os.WEXITED | os.WNOWAIT)
    with Register(str(tmp_path)) as register:
        assert register.endpoints == {}
        assert register.join("b", os.getpid()) == "10.77.0.2"
    init.wait()


def test_an_error_inside_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    new(tmp_path)
    register = Register(str(tmp_path))
    register.__enter__()
    register.join("a", os.getpid())
    register.__exit__(RuntimeError)
    with Register(str(tmp_path)) as register:
        assert register.endpoints == {}


JOIN = """
import sys
from minirt.networks.register import Register
for n in range(10):
    with Register(sys.argv[1]) as register:
        print(register.join(f"{sys.argv[2]}-{n}", int(sys.argv[3])))
"""


def test_no_address_is_given_out_twice_by_processes_that_join_at_once(tmp_path: Path) -> None:
    new(tmp_path)
    joining = [
        subprocess.Popen(
            [sys.executable, "-I", "-c", JOIN, str(tmp_path), str(n), str(os.getpid())],
            stdout=subprocess.PIPE, text=True,
        )
        for n in range(8)
    ]  # fmt: skip
    addresses = [line for process in joining for line in process.communicate()[0].split()]
    assert len(addresses) == len(set(addresses)) == 80
    with Register(str(tmp_path)) as register:
        assert len(register.endpoints) == 80


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"endpoints": 3}', '{"endpoints": {"a": {"pid": "1"}}}']
)
def test_a_damaged_file_is_an_error_that_names_it(tmp_path: Path, content: str) -> None:
    register = new(tmp_path)
    with open(register.path, "w") as file:
        file.write(content)
    with pytest.raises(HostError, match=r"\.json is damaged"), Register(str(tmp_path)):
        pass


def test_what_was_registered_before_a_reboot_is_not_believed(tmp_path: Path) -> None:
    register = new(tmp_path)
    with open(register.path) as file:
        text = file.read()
    with open(register.path, "w") as file:
        file.write(text.replace(register.namespace.partition("/")[0], "another-boot"))
    with Register(str(tmp_path)) as register:
        assert register.subnet == ""


def test_a_directory_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HostError, match="cannot write") as error, Register(f"{tmp_path}/file/x"):
        pass
    assert "--network none" in error.value.hint


@pytest.mark.parametrize("umask", [0, 0o077])
def test_the_directories_are_safe_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        new(tmp_path / "minirt" / "networks")
    finally:
        os.umask(before)
    assert (tmp_path / "minirt").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "minirt" / "networks").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("wrong", ["", "networks"])
def test_a_directory_that_others_can_write_to_is_refused(tmp_path: Path, wrong: str) -> None:
    new(tmp_path / "minirt" / "networks")
    (tmp_path / "minirt" / wrong).chmod(0o777)
    with pytest.raises(HostError, match="could be changed by another user") as error:
        new(tmp_path / "minirt" / "networks")
    assert "chmod go-w" in error.value.hint


@pytest.mark.parametrize("wrong", ["minirt", "minirt/networks"])
def test_a_link_in_place_of_a_directory_is_refused(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / wrong).parent.mkdir(exist_ok=True)
    (tmp_path / wrong).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HostError, match=f"{wrong} is not a directory"):
        new(tmp_path / "minirt" / "networks")
    assert os.listdir(tmp_path / "elsewhere") == []


def test_others_cannot_read_who_is_on_the_network(tmp_path: Path) -> None:
    new(tmp_path / "networks")
    assert (tmp_path / "networks").stat().st_mode & 0o077 == 0
