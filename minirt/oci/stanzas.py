"""What each engine must be told, so that it calls `minirt-oci`: its file, and the lines in it."""

from __future__ import annotations

import os

from minirt.codec import dumps, loads
from minirt.errors import ConfigError
from minirt.linux.files import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from minirt.codec import Json

NAME = "minirt"
PODMAN = """\
[engine]
runtime_supports_json = ["minirt", "crun", "runc"]

[engine.runtimes]
minirt = [{path}]
"""
CONTAINERD = """\
[plugins.{plugin}.containerd.runtimes.minirt]
  runtime_type = "io.containerd.runc.v2"
  pod_annotations = ["minirt.dev/*"]
  [plugins.{plugin}.containerd.runtimes.minirt.options]
    BinaryName = {path}
    SystemdCgroup = false
"""
CRI_V2, CRI_V3 = '"io.containerd.grpc.v1.cri"', '"io.containerd.cri.v1.runtime"'
RUNTIME_CLASS = """\
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata:
  name: minirt
handler: minirt
"""


class Stanza:
    """The file of one engine, and its text with `minirt` in it; `old` is what it says now.

    One that must be given to a cluster, not written on this host, has no path.
    """

    __slots__ = ("engine", "new", "old", "path", "shown")

    def __init__(self, engine: str, path: str, add: Callable[[str], str], shown: str) -> None:
        self.engine = engine
        self.path = path
        self.shown = shown
        self.old = _text(path)
        self.new = add(self.old)

    def write(self) -> bool:
        """Write the file; False when it says so already."""
        if not self.path or self.old == self.new:
            return False
        try:
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            replace(self.path, self.new.encode(), mode=0o644)
        except OSError as error:
            what = f"cannot write {self.path}: {error.strerror}"
            raise ConfigError(what, hint="be root, or leave --write out") from None
        return True


def every(etc: str, launcher: str) -> Iterator[Stanza]:
    """The stanzas of all engines, whose files are below `etc`."""
    path = dumps(launcher)  # a string of JSON is one of TOML
    podman = PODMAN.format(path=path)
    yield Stanza("podman and buildah", f"{etc}/containers/containers.conf.d/minirt.conf",
                 lambda _old: podman, podman)  # fmt: skip
    yield Stanza(
        "docker", f"{etc}/docker/daemon.json", lambda old: with_runtime(old, launcher),
        with_runtime("", launcher),
    )  # fmt: skip
    containerd = f"{etc}/containerd/config.toml"
    plugin = CRI_V3 if "\nversion = 3" in f"\n{_text(containerd)}" else CRI_V2
    lines = CONTAINERD.format(path=path, plugin=plugin)
    yield Stanza("containerd", containerd, lambda old: appended(old, lines), lines)
    yield Stanza("Kubernetes (kubectl apply -f -)", "", lambda old: old, RUNTIME_CLASS)


def with_runtime(text: str, launcher: str) -> str:
    """Docker's daemon.json with our runtime among its own; ConfigError where it is not JSON."""
    try:
        document = loads(text) if text.strip() else {}
    except ValueError as error:
        raise ConfigError(f"docker's daemon.json is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise ConfigError("docker's daemon.json must hold an object")
    runtimes = document.get("runtimes")
    ours: dict[str, Json] = {NAME: {"path": launcher}}
    theirs = runtimes if isinstance(runtimes, dict) else {}
    document = {**document, "runtimes": {**theirs, **ours}}
    from json import dumps as indented  # for people to read; never when a container starts

    return indented(document, indent=4) + "\n"


def appended(text: str, lines: str) -> str:
    """Containerd's config.toml with our tables at its end, unless they are in it."""
    if lines.splitlines()[0] in text:
        return text
    start = text.rstrip("\n") if text.strip() else "version = 2"
    return f"{start}\n\n{lines}"


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
