"""Other machines, disks and kernels: the same image, the same answers."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from minirt.errors import ConfigError, HostError
from minirt.vm import kernel, rootimage
from minirt.vm.guest import Guest
from minirt.vm.machine import KINDS
from minirt.vm.prepare import prepare

if TYPE_CHECKING:
    from conftest import Layers

QUESTION = ["sh", "-c", "cat /motd; echo /*; echo changed >/motd && cat /motd"]
ANSWER = b"of the upper layer\n/bin /dev /motd /proc /sys /tmp\nchanged\n"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_machine_boots_the_image_and_shuts_down(layers: Layers, kind: str) -> None:
    with Guest(prepare(layers, kind=kind)) as guest:
        assert guest.run(QUESTION).output == ANSWER

    assert guest.session.qemu.process.returncode == 0


def test_a_q35_has_the_firmware_and_the_bus_of_an_ordinary_pc(layers: Layers) -> None:
    look = ["sh", "-c", "cat /sys/class/dmi/id/bios_vendor; ls /sys/bus/pci/devices"]

    with Guest(prepare(layers, kind="q35")) as pc, Guest(prepare(layers)) as least:
        vendor, *devices = pc.run(look).output.decode().splitlines()
        assert vendor == "SeaBIOS" or "QEMU" in vendor
        assert len(devices) > 3
        assert b"No such file" in least.run(look).output


@pytest.mark.parametrize("name", rootimage.FORMATS)
def test_every_disk_format_shows_the_same_image(layers: Layers, name: str) -> None:
    with Guest(prepare(layers, disk_format=name)) as guest:
        assert guest.run(QUESTION).output == ANSWER
        mounted = guest.run(["cat", "/proc/mounts"]).output

    assert mounted.startswith(b"overlay / overlay ")


def test_a_compressed_disk_is_smaller(layers: Layers) -> None:
    sizes = {
        name: os.stat(rootimage.build(layers, made)).st_blocks
        for name, made in rootimage.FORMATS.items()
    }

    assert sizes["squashfs"] < sizes["ext4"]
    assert sizes["erofs"] < sizes["ext4"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"kind": "toaster"}, 'kind: there is no machine "toaster"'),
        ({"disk_format": "fat"}, 'disk_format: there is no disk format "fat"'),
    ],
)
def test_an_unknown_choice_is_named(layers: Layers, options: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        prepare(layers, **options)  # type: ignore[arg-type]

    assert "ext4" in caught.value.hint or "q35" in caught.value.hint


def test_a_missing_program_for_a_disk_names_its_package(
    layers: Layers, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setattr(rootimage, "_path", lambda: "/nonexistent")
    unseen = tmp_path_factory.mktemp("unseen")
    (unseen / "new").write_text("not in the cache")

    with pytest.raises(HostError, match=r"mkfs.erofs is not installed") as caught:
        rootimage.build([*layers, str(unseen)], rootimage.find_format("erofs"))

    assert caught.value.hint == "apt-get install erofs-utils"


def test_the_same_image_runs_on_a_second_kernel(layers: Layers) -> None:
    first = kernel.find()
    second = kernel.find_other(first)

    releases = []
    for found in (first, second):
        with Guest(prepare(layers, guest_kernel=found)) as guest:
            releases.append(guest.run(["uname", "-r"]).output.decode().strip())

    assert releases == [first.release, second.release]
    assert len({*releases, os.uname().release}) == 3
    assert re.match(r"\d+\.\d+", second.release)
