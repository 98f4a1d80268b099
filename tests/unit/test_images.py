"""The embedded image: an OCI layout that is whole, the same everywhere, and repaired when not."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from minirt.errors import HostError
from minirt.host import debs
from minirt.images import build, content, store


@pytest.fixture(scope="session")
def busybox() -> Path:
    """The unpacked package, downloaded once for this user."""
    return Path(debs.fetch("busybox-static"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, busybox: Path) -> Path:
    """An empty cache that has nothing but the package."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    packages = tmp_path / "minirt" / "debs"
    shutil.copytree(busybox, packages / busybox.name, symlinks=True)
    (packages / "busybox-static").symlink_to(busybox.name)
    return tmp_path / "minirt"


def blob(home: Path, descriptor: dict[str, object]) -> bytes:
    """The content that an OCI descriptor promises, checked against it."""
    algorithm, _, digest = str(descriptor["digest"]).partition(":")
    found = (home / "images" / "blobs" / algorithm / digest).read_bytes()
    assert len(found) == descriptor["size"]
    assert hashlib.sha256(found).hexdigest() == digest
    return found


def test_the_layout_is_what_the_image_specification_says(home: Path) -> None:
    image = build.ensure()
    layout = json.loads((home / "images" / "oci-layout").read_text())
    assert layout == {"imageLayoutVersion": "1.0.0"}
    (entry,) = json.loads((home / "images" / "index.json").read_text())["manifests"]
    assert entry["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert entry["digest"] == image.digest
    manifest = json.loads(blob(home, entry))
    config = json.loads(blob(home, manifest["config"]))
    digests = ["sha256:" + hashlib.sha256(blob(home, d)).hexdigest() for d in manifest["layers"]]
    assert config["rootfs"] == {"type": "layers", "diff_ids": digests}
    assert len(digests) >= 2
    assert config["os"] == "linux"


def test_equal_content_has_equal_digests(
    home: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build.ensure()
    other = tmp_path_factory.mktemp("other")
    shutil.copytree(home / "debs", other / "minirt" / "debs", symlinks=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(other))
    second = build.ensure()
    assert second.digest == first.digest
    assert second.layers != first.layers


def test_the_second_layer_hides_and_deletes_files_of_the_first(home: Path) -> None:
    del home
    base, app = (Path(layer) for layer in build.ensure().layers)
    assert (base / "etc/motd").read_text() != (app / "etc/motd").read_text()
    assert (base / "etc/issue").is_file()
    whiteout = os.lstat(app / "etc/issue")
    assert stat.S_ISCHR(whiteout.st_mode)
    assert whiteout.st_rdev == 0


def test_every_command_of_the_image_is_there(home: Path) -> None:
    del home
    base = Path(build.ensure().layers[0])
    for name in ("sh", "ls", "ps", "mount"):
        assert (base / "bin" / name).is_symlink()
    assert os.access(base / "bin/busybox", os.X_OK)


def test_ten_builders_at_once_make_one_image(home: Path) -> None:
    command = [sys.executable, "-m", "minirt.images"]
    builders = [subprocess.Popen(command) for _ in range(10)]
    assert [builder.wait() for builder in builders] == [0] * 10
    assert store.find("busybox") is not None
    assert len(list((home / "layers/sha256").iterdir())) == 2
    assert [path.name for path in home.iterdir() if path.name.endswith(".scratch")] == []


def damage_index(home: Path) -> None:
    (home / "images/index.json").write_text('{"manifests": [')


def damage_manifest(home: Path) -> None:
    image = store.find("busybox")
    assert image is not None
    Path(store.blob(image.digest)).write_text("{}")


def lose_a_file(home: Path) -> None:
    next(home.glob("layers/sha256/*/etc/passwd")).unlink()


def truncate_busybox(home: Path) -> None:
    next(home.glob("layers/sha256/*/bin/busybox")).write_bytes(b"")


def lose_a_layer(home: Path) -> None:
    shutil.rmtree(next(home.glob("layers/sha256/*")))


def damage_an_archive(home: Path) -> None:
    largest = max((home / "images/blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)
    with largest.open("r+b") as file:
        file.seek(100_000)
        file.write(b"damage")


@pytest.mark.parametrize(
    "damage",
    [
        damage_index,
        damage_manifest,
        lose_a_file,
        truncate_busybox,
        lose_a_layer,
        damage_an_archive,
    ],
)
def test_a_damaged_cache_is_rebuilt(home: Path, damage: object) -> None:
    before = build.ensure()
    assert callable(damage)
    damage(home)
    after = build.ensure()
    assert after.digest == before.digest
    assert (Path(after.layers[0]) / "etc/passwd").is_file()
    assert (Path(after.layers[0]) / "bin/busybox").stat().st_size > 0
    archives = [Path(store.blob(f"sha256:{Path(layer).name}")) for layer in after.layers]
    for path in archives:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name


def test_an_image_that_is_not_there_is_named(home: Path) -> None:
    del home
    with pytest.raises(HostError, match="there is no image debian"):
        build.ensure("debian")


def test_a_newer_minirt_replaces_the_image(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del home
    before = build.ensure()
    monkeypatch.setattr(content, "FIRST", {**content.FIRST, "etc/motd": "new\n"})
    monkeypatch.setattr(content, "VERSION", "another")
    after = build.ensure()
    assert after.digest != before.digest
    assert (Path(after.layers[0]) / "etc/motd").read_text() == "new\n"


def test_without_busybox_the_hosts_shell_takes_its_place() -> None:
    entries = {entry.path: entry for entry in content.host_tools(["sh", "cat"])}
    assert entries["bin/sh"].content is not None
    assert entries["bin/sh"].content[:4] == b"\x7fELF"
    assert any("libc" in path for path in entries)


IMPORTED = """
import sys
before = set(sys.modules)
import minirt.images.store
print(*sorted(name for name in set(sys.modules) - before if not name.startswith("minirt")))
"""


def test_finding_an_image_imports_next_to_nothing() -> None:
    command = [sys.executable, "-I", "-c", IMPORTED]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"__future__", "errno", "fcntl", "mmap", "stat"}
