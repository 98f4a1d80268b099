"""A bundle: a directory with a config.json (OCI runtime-spec, bundle.md)."""

from __future__ import annotations

import os

from minirt.codec import loads
from minirt.errors import ConfigError
from minirt.linux.files import read_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.codec import Json

# Python counts our own calls and the levels of what it reads or writes together, up to 1000: what
# `create` could just read, a verb that calls a little deeper could not.
DEEPEST = 500


def read(bundle: str, config: str = "") -> dict[str, Json]:
    """The configuration of a bundle, its root and what it binds as absolute paths.

    `config` names another file than config.json, relative to the bundle. ConfigError when
    there is none, or it is no JSON object.
    """
    hint = "name another file: --config FILE" if config else "name a bundle: --bundle DIR"
    return resolved(bundle, object_of(os.path.join(bundle, config or "config.json"), hint=hint))


def resolved(bundle: str, document: dict[str, Json]) -> dict[str, Json]:
    """`document` with its root and what it binds as absolute paths; ConfigError without a root."""
    root = document.get("root") or {}
    if root == {} or (isinstance(root, dict) and root.get("path") in (None, "")):
        # Without one it would run on the host's files.
        what = "is missing: the container has no files"
        raise ConfigError(what, pointer="/root/path", hint="name the directory of its files")
    if isinstance(root, dict) and isinstance(root.get("path"), str):
        path = os.path.join(bundle, str(root["path"]))
        try:
            document["root"] = {**root, "path": os.path.realpath(path)}
        except (OSError, ValueError):  # whoever reads or opens it says why
            document["root"] = {**root, "path": path}
    for mount in _objects(document.get("mounts")):
        if _is_bind(mount) and isinstance(mount.get("source"), str):
            mount["source"] = os.path.join(bundle, str(mount["source"]))
    return document


def _objects(found: Json) -> list[dict[str, Json]]:
    """What is an object of a list; the rest is for the specification's reader to complain of."""
    return [item for item in _items(found) if isinstance(item, dict)]


def _items(found: Json) -> list[Json]:
    return found if isinstance(found, list) else []


def _is_bind(mount: dict[str, Json]) -> bool:
    listed = _items(mount.get("options"))
    return mount.get("type") == "bind" or "bind" in listed or "rbind" in listed


def object_of(path: str, *, hint: str) -> dict[str, Json]:
    """The JSON object in the file `path`; `hint` is what to try where there is none."""
    try:
        return parsed(read_all(path), path)
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise ConfigError(f"open {path}: {reason}", hint=hint) from None


def parsed(data: bytes, source: str, pointer: str = "") -> dict[str, Json]:
    """The JSON object that `data` is; ConfigError says of `source` what is wrong."""
    try:
        text = data.decode()
        document = loads(text)
    except ValueError as error:
        raise ConfigError(f"{source} is not JSON: {error}", pointer=pointer) from None
    if not isinstance(document, dict):
        raise ConfigError(f"{source} must hold a JSON object", pointer=pointer)
    if text.count("[") + text.count("{") > DEEPEST and _is_deep(document):
        raise ConfigError(f"{source} is nested too deeply", pointer=pointer)
    return document


def _is_deep(document: Json) -> bool:
    level: list[Json] = [document]
    for _ in range(DEEPEST):
        level = [item for owner in level for item in _inside(owner)]
        if not level:
            return False
    return True


def _inside(owner: Json) -> list[Json]:
    """The objects and lists in it."""
    items: list[Json] = list(owner.values() if isinstance(owner, dict) else _items(owner))
    return [item for item in items if isinstance(item, (dict, list))]
