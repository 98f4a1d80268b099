"""Find an image in the cache: an OCI image layout (image-spec, image-layout.md).

    images/index.json              names -> manifests
    images/blobs/sha256/DIGEST     manifest, config and layers (tar)
    layers/sha256/DIFF_ID/         a layer unpacked, as an overlay wants it

An unpacked layer appears there by rename, so one that exists is whole.
"""

from __future__ import annotations

import os

from minirt.codec import loads
from minirt.errors import ConfigError
from minirt.host import cache
from minirt.reader import Reader

NAME = "org.opencontainers.image.ref.name"
VERSION = "org.opencontainers.image.version"


class Image:
    """One image, ready to run.

    digest   of its manifest: "sha256:…"
    layers   unpacked directories, lowest first
    env      "KEY=value"
    """

    __slots__ = ("cmd", "digest", "env", "layers", "name", "version", "working_dir")

    def __init__(self, entry: Reader, layers: tuple[str, ...], config: Reader) -> None:
        self.name = entry.object("annotations").text(NAME)
        self.version = entry.object("annotations").text(VERSION)
        self.digest = entry.text("digest")
        self.layers = layers
        self.env = config.texts("Env")
        self.cmd = config.texts("Entrypoint") + config.texts("Cmd")
        self.working_dir = config.text("WorkingDir") or "/"


def find(name: str) -> Image | None:
    """The image called `name`; None where it, or a part of it, is missing or damaged."""
    try:
        return _read(name)
    except (OSError, ValueError, ConfigError):
        return None


def _read(name: str) -> Image | None:
    for entry in _document(f"{directory()}/index.json").objects("manifests"):
        if entry.object("annotations").text(NAME) == name:
            config = _document(described(_document(described(entry)).object("config")))
            layers = tuple(map(unpacked, config.object("rootfs").texts("diff_ids")))
            if layers and all(map(os.path.isdir, layers)):
                return Image(entry, layers, config.object("config"))
    return None


def directory() -> str:
    return f"{cache.directory()}/images"


def blob(digest: str) -> str:
    """Where the blob with this digest ("sha256:…") lies."""
    return f"{directory()}/blobs/{_path(digest)}"


def unpacked(diff_id: str) -> str:
    """Where the layer with this diff id lies unpacked."""
    return f"{cache.directory()}/layers/{_path(diff_id)}"


def _path(digest: str) -> str:
    algorithm, _, value = digest.partition(":")
    if algorithm != "sha256" or len(value) != 64 or set(value) - set("0123456789abcdef"):
        raise ConfigError(f"{digest} is not a sha256 digest")
    return f"sha256/{value}"


def described(descriptor: Reader) -> str:
    """The path of the blob that an OCI descriptor names; ConfigError when its size is wrong."""
    path = blob(descriptor.text("digest"))
    if os.stat(path).st_size != descriptor.number("size"):
        raise ConfigError("has another size than its descriptor says", pointer=path)
    return path


def _document(path: str) -> Reader:
    with open(path, encoding="utf-8") as file:
        value = loads(file.read())
    if not isinstance(value, dict):
        raise ConfigError("must be a JSON object", pointer=path)
    return Reader(value)
