"""Write an image as an OCI image layout: blobs first, then the index that makes it exist."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile

from minirt.codec import dumps, loads
from minirt.host import cache
from minirt.images import store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from minirt.codec import Json
    from minirt.images.content import Entry

TYPES = "application/vnd.oci.image."
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def tar(entries: Sequence[Entry]) -> bytes:
    """A layer's archive: equal entries give equal bytes, so the digest names the content.

    Not compressed, because what a compressor writes depends on its version.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry in entries:
            member = tarfile.TarInfo(entry.path)  # time, owner and group are 0
            member.mode = entry.mode
            if entry.link:
                member.type, member.linkname = tarfile.SYMTYPE, entry.link
            elif entry.content is None:
                member.type = tarfile.DIRTYPE
            else:
                member.size = len(entry.content)
            archive.addfile(member, io.BytesIO(entry.content or b""))
    return buffer.getvalue()


def write(
    annotations: Mapping[str, str],
    archives: Sequence[bytes],
    run: Mapping[str, Json],
    scratch: str,
) -> None:
    """Store an image with these layers under the name in its `annotations` (store.NAME).

    `run` is its configuration (Env, Cmd, …). For who holds the right to write images
    (cache.Writing): `scratch` is its directory.
    """
    cache.make_directories(os.path.dirname(store.blob("sha256:" + 64 * "0")))
    layers = [_blob(archive, "layer.v1.tar", scratch) for archive in archives]
    diff_ids = [layer["digest"] for layer in layers]
    config: Mapping[str, Json] = {
        "created": "1970-01-01T00:00:00Z",
        "architecture": ARCHITECTURES.get(os.uname().machine, os.uname().machine),
        "os": "linux",
        "config": run,
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    }
    manifest: Mapping[str, Json] = {
        "schemaVersion": 2,
        "mediaType": TYPES + "manifest.v1+json",
        "config": _blob(_json(config), "config.v1+json", scratch),
        "layers": layers,
    }
    described = _blob(_json(manifest), "manifest.v1+json", scratch)
    _list({**described, "annotations": annotations}, scratch)


def _list(entry: Mapping[str, Json], scratch: str) -> None:
    """Put the manifest into the index, in place of the one that had its name."""
    others = [other for other in _entries() if _name_of(other) != _name_of(entry)]
    index: Mapping[str, Json] = {"schemaVersion": 2, "manifests": [*others, entry]}
    root = store.directory()
    _replace(f"{root}/oci-layout", _json({"imageLayoutVersion": "1.0.0"}), scratch)
    _replace(f"{root}/index.json", _json(index), scratch)


def _entries() -> list[Mapping[str, Json]]:
    """The index as it is; what is damaged names nothing that could be found."""
    try:
        with open(f"{store.directory()}/index.json", encoding="utf-8") as file:
            index = loads(file.read())
    except (OSError, ValueError):
        return []
    found = index.get("manifests") if isinstance(index, dict) else None
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _name_of(entry: Mapping[str, Json]) -> Json:
    annotations = entry.get("annotations")
    return annotations.get(store.NAME) if isinstance(annotations, dict) else None


def _blob(content: bytes, kind: str, scratch: str) -> Mapping[str, Json]:
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    _replace(store.blob(digest), content, scratch)
    return {"mediaType": TYPES + kind, "digest": digest, "size": len(content)}


def _json(value: Mapping[str, Json]) -> bytes:
    return dumps(value).encode()


def _replace(path: str, content: bytes, scratch: str) -> None:
    """Write a whole file by rename: a reader sees the old one or the new one, never a part."""
    part = f"{scratch}/part"
    with open(part, "wb") as file:
        file.write(content)
    os.chmod(part, 0o644)
    os.rename(part, path)
