"""The options of a mount entry, sorted into attributes and the file system's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minirt.linux.mount import (
    ATTRIBUTES,
    MOUNT_ATTR__ATIME,
    MOUNT_ATTR_STRICTATIME,
    MS_SHARED,
    MS_SLAVE,
)
from minirt.mount_options import mount_of
from minirt.reader import Reader
from minirt.spec import MountSpec

if TYPE_CHECKING:
    from minirt.codec import Json
    from minirt.filetree.mount import Mount


def mount(fstype: str, *options: str) -> Mount:
    entry = {"destination": "/x", "type": fstype, "source": "/", "options": list(options)}
    return mount_of(MountSpec(Reader(entry, "/mounts/3")))


def attributes(*names: str) -> int:
    return sum(ATTRIBUTES[name] for name in names)


def test_attributes_are_the_mounts_and_the_rest_the_file_systems() -> None:
    made = mount("tmpfs", "ro", "nosuid", "nodev", "noexec", "size=64m", "mode=755", "noswap")
    assert made.attributes.set == attributes("ro", "nosuid", "nodev", "noexec")
    assert made.data == (("size", "64m"), ("mode", "755"), ("noswap", ""))


def test_of_two_that_contradict_each_other_the_last_counts() -> None:
    assert mount("tmpfs", "ro", "rw").attributes.set == 0
    assert mount("tmpfs", "ro", "rw").attributes.clear == attributes("ro")
    assert mount("tmpfs", "rw", "ro").attributes.set == attributes("ro")
    assert mount("tmpfs", "rw", "ro").attributes.clear == 0
    assert mount("tmpfs", "nodev", "nosuid", "dev").attributes.set == attributes("nosuid")


def test_defaults_change_nothing() -> None:
    made = mount("tmpfs", "defaults", "relatime", "remount", "silent")
    assert (made.attributes.set, made.deep.set, made.data) == (0, 0, ())


def test_the_last_of_the_atime_family_counts() -> None:
    assert mount("bind", "noatime", "strictatime").attributes.set == MOUNT_ATTR_STRICTATIME
    assert mount("bind", "strictatime", "atime").attributes.set == 0
    assert mount("bind", "noatime").attributes.clear == MOUNT_ATTR__ATIME
    assert mount("bind", "nodiratime", "diratime").attributes.set == 0


def test_with_an_r_an_attribute_is_for_all_mounts_below() -> None:
    made = mount("none", "rbind", "rro", "rnosuid", "rnoatime", "nodev", "rexec")
    assert made.deep.set == attributes("ro", "nosuid", "noatime")
    assert made.deep.clear == MOUNT_ATTR__ATIME | attributes("noexec")
    assert made.attributes.set == attributes("nodev")


def test_propagation_is_kept_in_order() -> None:
    made = mount("none", "rbind", "rslave", "shared")
    assert made.propagation == ((MS_SLAVE, True), (MS_SHARED, False))


def test_options_of_the_whole_file_system_are_its_own() -> None:
    assert mount("tmpfs", "sync", "dirsync").data == (("sync", ""), ("dirsync", ""))
    assert mount("none", "bind", "sync", "mand").data == ()


def test_maps_of_ids_ask_for_a_mapped_mount() -> None:
    maps = [{"containerID": 0, "hostID": 5, "size": 1}]
    entry: dict[str, Json] = {"destination": "/x", "type": "bind", "source": "/"}
    entry |= {"uidMappings": maps, "gidMappings": maps}
    made = mount_of(MountSpec(Reader(entry)))
    assert (made.id_mapping, made.uid_maps) == ("idmap", ((0, 5, 1),))
    assert mount("none", "rbind", "ridmap").id_mapping == "ridmap"


def test_a_relative_destination_is_below_the_root() -> None:
    assert MountSpec(Reader({"destination": "data/x"})).destination == "/data/x"


def test_rbind_is_recursive_and_bind_is_not() -> None:
    assert mount("none", "rbind").recursive
    assert not mount("none", "bind").recursive
    assert mount("none", "bind").fstype == "bind"


def test_a_bind_mount_has_no_options_of_a_file_system() -> None:
    made = mount("none", "bind", "size=64m", "ro", "x-systemd.automount")
    assert (made.data, made.ignored) == ((), ["size=64m", "x-systemd.automount"])


def test_an_option_may_have_an_equals_sign_in_its_value() -> None:
    assert mount("overlay", "lowerdir=/a=b").data == (("lowerdir", "/a=b"),)


def test_a_label_is_for_file_systems_that_have_none_of_their_own() -> None:
    def labelled(fstype: str) -> bool:
        entry: dict[str, Json] = {"destination": "/x", "type": fstype, "source": "/"}
        made = mount_of(MountSpec(Reader(entry)), label="system_u:object_r:x:s0:c1,c2")
        return ("context", "system_u:object_r:x:s0:c1,c2") in made.data

    assert [t for t in ("tmpfs", "devpts", "proc", "sysfs", "mqueue", "bind") if labelled(t)] == [
        "tmpfs",
        "devpts",
    ]
