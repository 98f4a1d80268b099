"""The options of a mount entry, sorted into attributes and the file system's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from minirt.errors import ConfigError
from minirt.linux.mount import ATTRIBUTES
from minirt.mount_options import mount_of
from minirt.reader import Reader
from minirt.spec import MountSpec

if TYPE_CHECKING:
    from minirt.mechanisms.mounts import Mount


def mount(fstype: str, *options: str) -> Mount:
    entry = {"destination": "/x", "type": fstype, "source": "/", "options": list(options)}
    return mount_of(MountSpec(Reader(entry, "/mounts/3")))


def attributes(*names: str) -> int:
    return sum(ATTRIBUTES[name] for name in names)


def test_attributes_are_the_mounts_and_the_rest_the_file_systems() -> None:
    made = mount("tmpfs", "ro", "nosuid", "nodev", "noexec", "size=64m", "mode=755", "noswap")
    assert made.attributes == attributes("ro", "nosuid", "nodev", "noexec")
    assert made.data == (("size", "64m"), ("mode", "755"), ("noswap", ""))


def test_of_two_that_contradict_each_other_the_last_counts() -> None:
    assert mount("tmpfs", "ro", "rw").attributes == 0
    assert mount("tmpfs", "rw", "ro").attributes == attributes("ro")
    assert mount("tmpfs", "nodev", "nosuid", "dev").attributes == attributes("nosuid")


def test_defaults_change_nothing() -> None:
    made = mount("tmpfs", "defaults", "relatime", "rprivate", "async")
    assert (made.attributes, made.data) == (0, ())


def test_rbind_is_recursive_and_bind_is_not() -> None:
    assert mount("none", "rbind").recursive
    assert not mount("none", "bind").recursive
    assert mount("none", "bind").fstype == "bind"


def test_a_bind_mount_has_no_options_of_a_file_system() -> None:
    with pytest.raises(ConfigError) as caught:
        mount("none", "bind", "size=64m")
    assert caught.value.pointer == "/mounts/3/options"
    assert '"size"' in str(caught.value)


def test_an_option_may_have_an_equals_sign_in_its_value() -> None:
    assert mount("overlay", "lowerdir=/a=b").data == (("lowerdir", "/a=b"),)
