"""A bundle: a directory with a config.json (OCI runtime-spec, bundle.md)."""

from __future__ import annotations

import os

from minirt.codec import loads
from minirt.errors import ConfigError
from minirt.linux.files import read_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.codec import Json


def read(bundle: str, config: str = "") -> dict[str, Json]:
    """The configuration of a bundle, its root and what it binds as absolute paths.

    `config` names another file than config.json, relative to the bundle. ConfigError when
    there is none, or it is no JSON object.
    """
    path = os.path.join(bundle, config or "config.json")
    document = object_of(path)
    root = document.get("root") or {}
    if root == {} or (isinstance(root, dict) and root.get("path") in (None, "")):
        # Without one it would run on the host's files.
        what = "is missing: the container has no files"
        raise ConfigError(what, pointer="/root/path", hint="name the directory of its files")
    if isinstance(root, dict) and isinstance(root.get("path"), str):
        whole = os.path.realpath(os.path.join(bundle, str(root["path"])))
        document["root"] = {**root, "path": whole}
    for mount in _objects(document.get("mounts")):
        if _is_bind(mount) and isinstance(mount.get("source"), str):
            mount["source"] = os.path.join(bundle, str(mount["source"]))
    return document


def _objects(found: Json) -> list[dict[str, Json]]:
    """What is an object of a list; the rest is for the specification's reader to complain of."""
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _is_bind(mount: dict[str, Json]) -> bool:
    options = mount.get("options")
    listed = options if isinstance(options, list) else []
    return mount.get("type") == "bind" or "bind" in listed or "rbind" in listed


def object_of(path: str) -> dict[str, Json]:
    """The JSON object in the file `path`."""
    try:
        document = loads(read_all(path).decode())
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise ConfigError(f"open {path}: {reason}", hint="name a bundle: --bundle DIR") from None
    except ValueError as error:
        raise ConfigError(f"{path} is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise ConfigError(f"{path} must hold a JSON object")
    return document
