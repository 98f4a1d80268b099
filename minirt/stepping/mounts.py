"""The mounts of a container, as entries of `mounts` in config.json."""

from __future__ import annotations

import os

from minirt.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.codec import Json

SAFE = ("nosuid", "noexec", "nodev")
FORMS = {"--volume": "SRC:DST[:ro]", "--tmpfs": "DST[:OPTIONS]"}


def proc_dev(*, rootless: bool) -> list[Json]:
    """/proc and /dev as the specification's default configuration has them."""
    # An ordinary user's namespace has no group 5, to which terminals belong (tty).
    pts = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]
    return [
        _mount("proc", "/proc", *SAFE),
        _mount("tmpfs", "/dev", "nosuid", "nodev", "mode=755", "size=64m"),
        _mount("devpts", "/dev/pts", *pts, *(() if rootless else ("gid=5",))),
        _mount("tmpfs", "/dev/shm", *SAFE, "mode=1777", "size=64m"),  # noqa: S108
        _mount("mqueue", "/dev/mqueue", *SAFE),
    ]


def sys(*, bound: bool) -> Json:
    """/sys: a new sysfs, or the host's."""
    if bound:
        return _bind("/sys", "/sys", "ro", recursive=True)
    return _mount("sysfs", "/sys", *SAFE, "ro")


def etc(directory: str) -> list[Json]:
    """The files about names, which are in the container's state directory."""
    names = ("hosts", "hostname", "resolv.conf")
    return [_bind(f"{directory}/{name}", f"/etc/{name}", "rw") for name in names]


def tmpfs(text: str) -> Json:
    """--tmpfs DST[:OPTIONS]."""
    destination, _, options = text.partition(":")
    _require_place(destination, "--tmpfs")
    return _mount("tmpfs", destination, "nodev", *filter(None, options.split(",")))


def volume(text: str) -> Json:
    """--volume SRC:DST[:ro]; SRC may be relative to the caller's directory."""
    source, _, rest = text.partition(":")
    destination, _, access = rest.partition(":")
    if not rest:
        problem = f'"{text}" does not say where it is to be inside'
        hint = f"the form is {FORMS['--volume']}"
        raise ConfigError(problem, pointer="--volume", hint=hint)
    _require_place(destination, "--volume")
    if access not in ("", "ro", "rw"):
        raise ConfigError(f'"{access}" is neither ro nor rw', pointer="--volume")
    if not source or not os.path.lexists(source):
        raise ConfigError(
            f"{source or 'the source'} does not exist on the host",
            pointer="--volume",
            hint=f"make it first: mkdir -p {source}" if source else f"use {FORMS['--volume']}",
        )
    return _bind(os.path.abspath(source), destination, access or "rw", recursive=True)


def _require_place(path: str, option: str) -> None:
    hint = f"the form is {FORMS[option]}"
    if not path.startswith("/"):
        problem = f'"{path}" is not an absolute path inside the container'
        raise ConfigError(problem, pointer=option, hint=hint)
    if os.path.normpath(path) in ("/", "//"):
        raise ConfigError("the whole root cannot be replaced", pointer=option, hint=hint)


def _mount(fstype: str, destination: str, *options: str) -> Json:
    listed = list(options)
    return {"destination": destination, "type": fstype, "source": fstype, "options": listed}


def _bind(source: str, destination: str, access: str, *, recursive: bool = False) -> Json:
    # What is mounted below the source gets the same: "rro", "rnodev".
    options = ["bind", "nodev", *(["ro"] if access == "ro" else [])]
    listed: list[Json] = [f"r{option}" if recursive else option for option in options]
    return {"destination": destination, "source": source, "options": listed}
