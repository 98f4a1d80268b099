"""The file formats of the VM side: cpio archives, bzImages, compressed and dependent modules."""

from __future__ import annotations

import gzip
import lzma
import struct
from typing import TYPE_CHECKING

import pytest

from minirt.errors import HostError
from minirt.vm import bzimage, clock, cpio, modules
from minirt.vm.compression import decompress
from minirt.vm.kernel import metapackage, other_package

if TYPE_CHECKING:
    from pathlib import Path

KERNEL = b"\x7fELF" + bytes(range(256)) * 8


def test_an_archive_has_the_bytes_that_gnu_cpio_writes() -> None:
    made = cpio.archive([cpio.file("d/f", b"hello")])

    zero = b"00000000"
    header = b"070701" + b"00000001" + b"000081A4" + 2 * zero + b"00000001" + zero
    header += b"00000005" + 4 * zero + b"00000004" + zero
    assert made.startswith(header + b"d/f\0" + b"\0\0" + b"hello" + b"\0\0\0" + b"070701")


def test_every_record_of_an_archive_starts_at_a_multiple_of_four() -> None:
    entries = [cpio.file("a" * n, b"b" * n) for n in range(1, 9)]

    made = cpio.archive(entries)

    starts = [at for at in range(len(made)) if made.startswith(b"070701", at)]
    assert len(starts) == len(entries) + 1
    assert all(start % 4 == 0 for start in starts)
    assert b"TRAILER!!!\0" in made[starts[-1] :]


def packed_kernel(packed: bytes, *, setup_sectors: int = 3, offset: int = 40) -> bytes:
    """A bzImage around `packed`, with the fields that matter (boot.rst)."""
    setup = bytearray((setup_sectors + 1) * 512)
    setup[0x1F1] = setup_sectors
    setup[0x202:0x206] = b"HdrS"
    struct.pack_into("<II", setup, 0x248, offset, len(packed))
    return bytes(setup) + b"\xcc" * offset + packed + b"\xcc" * 100


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(KERNEL),
        lzma.compress(KERNEL) + struct.pack("<I", len(KERNEL)),
    ],
    ids=["gzip", "xz"],
)
def test_the_elf_kernel_is_cut_out_of_a_bzimage(packed: bytes) -> None:
    assert bzimage.vmlinux(packed_kernel(packed)) == KERNEL


def test_a_bzimage_with_no_count_of_set_up_sectors_has_four() -> None:
    image = bytearray(packed_kernel(gzip.compress(KERNEL), setup_sectors=4))
    image[0x1F1] = 0

    assert bzimage.vmlinux(bytes(image)) == KERNEL


def test_a_kernel_that_is_elf_already_stays_as_it_is() -> None:
    assert bzimage.vmlinux(KERNEL) == KERNEL


@pytest.mark.parametrize(
    "image",
    [b"", b"garbage" * 1000, packed_kernel(b"BZh9 is unknown"), packed_kernel(b"\x1f\x8bdamaged")],
    ids=["empty", "no header", "unknown packer", "damaged"],
)
def test_what_is_no_bzimage_is_refused(image: bytes) -> None:
    with pytest.raises(HostError):
        bzimage.vmlinux(image)


def test_a_missing_unpacker_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")

    with pytest.raises(HostError, match="packed with lz4") as caught:
        decompress(b"\x02\x21\x4c\x18...", what="the kernel")

    assert "apt-get install lz4" in caught.value.hint


def module_tree(root: Path, depends: dict[str, str], *, built_in: str = "") -> str:
    """A /lib/modules/RELEASE with modules that have the .modinfo strings of real ones."""
    for number, (file, names) in enumerate(depends.items()):
        path = root / "kernel" / f"d{number}" / file
        path.parent.mkdir(parents=True)
        content = b"\x7fELF\0license=GPL\0depends=" + names.encode() + b"\0name=x\0"
        path.write_bytes(lzma.compress(content) if file.endswith(".xz") else content)
    (root / "modules.builtin").write_text(built_in)
    return str(root)


def test_modules_load_after_what_they_depend_on(tmp_path: Path) -> None:
    tree = module_tree(
        tmp_path,
        {
            "virtio_blk.ko": "virtio,virtio-ring",
            "virtio.ko": "virtio-ring",
            "virtio-ring.ko.xz": "",
            "unwanted.ko": "",
        },
    )

    order = modules.load_order(tree, ["virtio_blk", "virtio"])

    assert [name for name, _ in order] == ["virtio_ring", "virtio", "virtio_blk"]
    assert all(content.startswith(b"\x7fELF") for _, content in order)


def test_what_is_built_into_the_kernel_needs_no_module(tmp_path: Path) -> None:
    tree = module_tree(
        tmp_path,
        {"overlay.ko": "ext4"},
        built_in="kernel/fs/ext4/ext4.ko\nkernel/x/virtio-blk.ko\n",
    )

    order = modules.load_order(tree, ["ext4", "virtio_blk", "overlay"])

    assert [name for name, _ in order] == ["overlay"]


def test_a_module_that_is_nowhere_is_named(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="no module virtio_blk"):
        modules.load_order(module_tree(tmp_path, {}), ["virtio_blk"])


@pytest.mark.parametrize(
    ("os_release", "machine", "package"),
    [
        ("ID=debian\n", "x86_64", "linux-image-cloud-amd64"),
        ('ID="debian"\n', "aarch64", "linux-image-cloud-arm64"),
        ("ID=ubuntu\nID_LIKE=debian\n", "x86_64", "linux-image-virtual"),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', "x86_64", "linux-image-virtual"),
    ],
)
def test_the_distribution_names_its_kernel(os_release: str, machine: str, package: str) -> None:
    assert metapackage(os_release, machine) == package


@pytest.mark.parametrize(
    ("os_release", "machine"), [("ID=arch\n", "x86_64"), ("ID=debian\n", "s390x")]
)
def test_where_no_kernel_is_known_the_error_says_so(os_release: str, machine: str) -> None:
    with pytest.raises(HostError, match="knows no guest kernel"):
        metapackage(os_release, machine)


def test_the_tsc_rate_of_a_vm_is_what_cpuinfo_says(tmp_path: Path) -> None:
    cpuinfo = "model name\t: X @ 2.00GHz\ncpu MHz\t\t: 2596.144\nflags\t\t: fpu hypervisor avx\n"

    assert clock.tsc_khz(cpuinfo, str(tmp_path)) == 2596144


def test_the_tsc_rate_of_bare_metal_is_not_what_it_runs_at_just_now(tmp_path: Path) -> None:
    cpuinfo = "model name\t: Intel(R) X @ 2.60GHz\ncpu MHz\t\t: 800.000\nflags\t\t: fpu avx\n"
    assert clock.tsc_khz(cpuinfo, str(tmp_path)) == 2_600_000

    (tmp_path / "cpufreq").mkdir()
    (tmp_path / "cpufreq" / "base_frequency").write_text("2592000\n")
    assert clock.tsc_khz(cpuinfo, str(tmp_path)) == 2_592_000


def test_an_unknown_tsc_rate_is_zero(tmp_path: Path) -> None:
    assert clock.tsc_khz("processor : 0\n", str(tmp_path)) == 0


@pytest.mark.parametrize(
    ("release", "packages", "other"),
    [
        (
            "6.1.0-50-cloud-amd64",
            ["6.1.0-47-cloud-amd64", "6.1.0-50-cloud-amd64", "6.12.1-2+deb12-cloud-amd64"],
            "6.12.1-2+deb12-cloud-amd64",
        ),
        (
            "6.1.0-50-cloud-amd64",
            ["6.1.0-47-cloud-amd64", "6.1.0-49-cloud-amd64"],
            "6.1.0-47-cloud-amd64",
        ),
        (
            "6.1.0-50-cloud-amd64",
            ["6.1.0-50-cloud-amd64", "6.1.0-47-amd64", "6.12-cloud-amd64"],
            "",
        ),
        ("6.8.0-31-generic", ["6.8.0-31-generic", "6.11.0-8-generic"], "6.11.0-8-generic"),
        ("6.1.0-50-cloud-amd64", [], ""),
    ],
)
def test_the_other_kernel_is_the_farthest_of_the_same_flavour(
    release: str, packages: list[str], other: str
) -> None:
    names = [f"linux-image-{name}" for name in packages]

    assert other_package(names, release) == (f"linux-image-{other}" if other else "")
