"""Make sure that an image is there, whole, and unpacked; build the embedded one where not."""

from __future__ import annotations

import hashlib
import os

from minirt.errors import HostError
from minirt.host import cache
from minirt.host.progress import Progress
from minirt.images import content, layout, store, unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.images.store import Image

EMBEDDED = "busybox"


def ensure(name: str = EMBEDDED) -> Image:
    """The image `name`, every layer of it compared with its archive.

    Safe when many do it at once: one builds, the others wait and find it done. HostError when
    there is no such image.
    """
    image = store.find(name)
    if image is not None and _good(image):
        return image
    if name != EMBEDDED:
        raise HostError(f"there is no image {name}", hint=f"the image that is there: {EMBEDDED}")
    with Progress("building the embedded image"), cache.Writing("images") as scratch:
        image = store.find(name)
        if image is None or not _good(image):
            _build(name, scratch)
    built = store.find(name)
    if built is None:
        raise HostError("the image that was just built cannot be found again")
    return built


def _build(name: str, scratch: str) -> None:
    archives = [layout.tar(entries) for entries in content.layers()]
    run = {"Env": content.ENV, "Cmd": content.CMD, "WorkingDir": "/"}
    annotations = {store.NAME: name, store.VERSION: content.VERSION}
    layout.write(annotations, archives, run, scratch)
    for archive in archives:
        _unpack("sha256:" + hashlib.sha256(archive).hexdigest(), scratch)


def _unpack(diff_id: str, scratch: str) -> None:
    """Put the layer's directory in its place, unless the one that is there is whole."""
    final = store.unpacked(diff_id)
    if _unpacked_whole(diff_id):
        return
    unpack.layer(store.blob(diff_id), f"{scratch}/new")
    cache.make_directories(os.path.dirname(final))
    if os.path.lexists(final):
        # Aside first, not removed in place: a running container keeps what it has open.
        os.rename(final, f"{scratch}/old")
    os.rename(f"{scratch}/new", final)
    cache.remove_tree(f"{scratch}/old")


def _good(image: Image) -> bool:
    current = image.name != EMBEDDED or image.version == content.VERSION
    diff_ids = ("sha256:" + os.path.basename(path) for path in image.layers)
    return current and all(map(_unpacked_whole, diff_ids))


def _unpacked_whole(diff_id: str) -> bool:
    """Whether the archive has its digest and the directory has what the archive says."""
    try:
        with open(store.blob(diff_id), "rb") as file:
            found = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
        return found == diff_id and unpack.matches(store.blob(diff_id), store.unpacked(diff_id))
    except OSError:
        return False
