"""What a container has of the host, which criu must be told of, and be given again.

Mounts whose file system is the host's are dumped by name only; so are the descriptors 0 to 2, and
namespaces that were joined. What their names mean to the next container is written beside criu's
own files.
"""

from __future__ import annotations

import os
import stat

from minirt.codec import dumps, loads
from minirt.errors import ConfigError, KernelError
from minirt.linux.cgroups import hierarchies
from minirt.linux.files import is_directory, openat2
from minirt.linux.mountinfo import mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from minirt.codec import Json
    from minirt.linux.mountinfo import Mount
    from minirt.spec import Spec

FILE = "minirt.json"
BIND, DEVICE, CGROUP, OWN = "bind", "device", "cgroup", "own"
# Namespaces that criu can leave out, as --external names them; the others it joins.
LEFT_OUT = {"net": "extRootNetNS", "pid": "extRootPidNS"}


class Point:
    """One mount of the container: where, whose (BIND ...), and what to find it by again."""

    __slots__ = ("directory", "kind", "path", "value")

    def __init__(self, path: str, kind: str, value: str, *, directory: bool) -> None:
        self.path = path
        self.kind = kind
        self.value = value
        self.directory = directory


class Outside:
    """`points` in mount order, without the root; `streams` as criu calls descriptors 0 to 2."""

    __slots__ = ("points", "streams")

    def __init__(self, points: list[Point], streams: list[str]) -> None:
        self.points = points
        self.streams = streams

    def dumped(self) -> Iterator[str]:
        """Options of `criu dump`."""
        for point in self.points:
            if point.kind != OWN:
                yield from ("--external", f"mnt[{point.path}]:{point.path}")
        for name in dict.fromkeys(self.streams):
            if name.startswith("file["):
                yield from ("--external", name)

    def restored(self, spec: Spec) -> Iterator[str]:
        """Options of `criu restore` into a container of `spec`."""
        for point in self.points:
            if point.kind != OWN:
                yield from ("--external", f"mnt[{point.path}]:{source(point, spec)}")
        for number, name in enumerate(self.streams):
            if name and name not in self.streams[:number]:
                yield from ("--inherit-fd", f"fd[{number}]:{name}")

    def save(self, images: str) -> None:
        points: list[Json] = [[p.path, p.kind, p.value, p.directory] for p in self.points]
        document: dict[str, Json] = {"mounts": points, "streams": list(self.streams)}
        with open(f"{images}/{FILE}", "w", encoding="utf-8") as file:
            file.write(dumps(document))


def load(images: str) -> Outside:
    """What `save` has written; ConfigError where there is no checkpoint of ours."""
    try:
        with open(f"{images}/{FILE}", encoding="utf-8") as file:
            document = loads(file.read())
        assert isinstance(document, dict)  # noqa: S101
        points, streams = document["mounts"], document["streams"]
        assert isinstance(points, list) and isinstance(streams, list)  # noqa: S101, PT018
        listed = [Point(str(p[0]), str(p[1]), str(p[2]), directory=p[3] is True) for p in points]
        return Outside(listed, [str(name) for name in streams])
    except OSError as error:
        what = f"open {images}/{FILE}: {(error.strerror or '').lower()}"
        raise ConfigError(what, pointer="--image-path", hint="name a checkpoint") from None
    except (ValueError, AssertionError, KeyError, IndexError, TypeError):
        raise ConfigError(f"{images}/{FILE} is damaged", pointer="--image-path") from None


def source(point: Point, spec: Spec) -> str:
    """What is to be mounted there, on this host and for this container."""
    if point.kind == CGROUP:
        for hierarchy in hierarchies():
            if os.path.basename(hierarchy.mountpoint) == point.value:
                return hierarchy.directory(spec.cgroups_path)
    if point.kind == BIND:
        destination, _, rest = point.value.partition("\0")
        for mount in spec.mounts:
            if mount.destination == destination and mount.fstype == "bind":
                return mount.source + rest
        raise ConfigError(
            f"the container had something of the host's at {destination}, and shall have nothing",
            pointer="/mounts",
            hint="restore it with the config.json that it was made with",
        )
    return point.value


def look(pid: int, spec: Spec) -> Outside:
    """All of that of the container whose init is `pid`."""
    root = os.open(f"/proc/{pid}/root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        table = mounts(pid)
        asked = _asked(root, spec)
        points = [_point(root, mount, table, asked) for mount in table if mount.mountpoint != "/"]
    finally:
        os.close(root)
    inside = {mount.mount_id for mount in table}
    return Outside(points, [_stream(pid, number, inside) for number in (0, 1, 2)])


def _asked(root: int, spec: Spec) -> dict[int, str]:
    """The destination of each bind mount, by the id of what is mounted there."""
    found = {}
    for mount in spec.mounts:
        try:
            fd = openat2(root, mount.destination)
        except KernelError:  # the program has removed it
            continue
        found[mount_id(f"/proc/self/fdinfo/{fd}")] = (
            mount.destination if mount.fstype == "bind" else ""
        )
        os.close(fd)
    return found


def _point(root: int, mount: Mount, table: list[Mount], asked: Mapping[int, str]) -> Point:
    path = mount.mountpoint
    fd = openat2(root, path)
    directory, is_device = is_directory(fd), stat.S_ISCHR(os.fstat(fd).st_mode)
    os.close(fd)
    # The entry of the configuration that this mount came with.
    above = max(
        (m for m in table if m.mount_id in asked and _contains(m.mountpoint, path)),
        key=lambda m: len(m.mountpoint),
        default=None,
    )
    destination = asked[above.mount_id] if above else ""
    if above and destination:
        rest = path[len(above.mountpoint) :]
        return Point(path, BIND, f"{destination}\0{rest}", directory=directory)
    if mount.fstype == "cgroup" and mount.root not in ("/", ""):
        return Point(path, CGROUP, os.path.basename(path), directory=directory)
    whole = any(m.device == mount.device and m.root == "/" for m in table)
    if is_device and not whole:
        return Point(path, DEVICE, f"/dev{mount.root}", directory=directory)
    return Point(path, OWN, "", directory=directory)


def _contains(directory: str, path: str) -> bool:
    return path == directory or path.startswith(f"{directory}/")


def mount_id(fdinfo: str) -> int:
    """The mount that an open file is on (proc_pid_fdinfo(5))."""
    with open(fdinfo, encoding="ascii") as lines:
        return next(int(line[7:]) for line in lines if line.startswith("mnt_id:"))


def _stream(pid: int, number: int, inside: set[int]) -> str:
    """How criu names a descriptor of init that leads out of the container; "" for another."""
    path = f"/proc/{pid}/fd/{number}"
    try:
        name, status = os.readlink(path), os.stat(path)
        mount = mount_id(f"/proc/{pid}/fdinfo/{number}")
    except OSError:  # closed
        return ""
    if name.startswith("pipe:["):
        return name
    if stat.S_ISSOCK(status.st_mode) or mount in inside:
        return ""
    return f"file[{mount:x}:{status.st_ino:x}]"


def namespaces(pid: int, joined: Mapping[str, str]) -> Iterator[str]:
    """Options of `criu dump` for the namespaces that were not made for this container."""
    for kind, key in LEFT_OUT.items():
        if joined.get(kind):
            yield from ("--external", f"{kind}[{os.stat(f'/proc/{pid}/ns/{kind}').st_ino}]:{key}")


def joining(joined: Mapping[str, str], opened: list[int]) -> Iterator[str]:
    """Options of `criu restore` for them; `opened` gets descriptors that criu must inherit."""
    for kind, path in joined.items():
        if path and kind in LEFT_OUT:
            opened.append(os.open(path, os.O_RDONLY))
            yield from ("--inherit-fd", f"fd[{opened[-1]}]:{LEFT_OUT[kind]}")
        elif path:
            yield from ("--join-ns", f"{kind}:{path}")
