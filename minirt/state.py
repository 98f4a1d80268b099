"""A container's record: <state root>/<id>/state.json, locked, written atomically.

It is written before the clone, and again before each thing that is made on the host, so a kill at
any moment is recoverable. The configuration lies beside it, in a file that is written once, as
what comes later seldom needs it. The runtime holds the
lock while it creates a container, and as long as it attends to one it runs in the foreground:
the kernel drops it when the runtime dies, so an unlocked directory that is not a detached
container's is garbage.
"""

from __future__ import annotations

import fcntl
import os

from minirt import state_root
from minirt.codec import dumps, loads
from minirt.errors import StateError
from minirt.linux.files import read_all, replace
from minirt.linux.process import alive
from minirt.linux.tree import empty

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from minirt.codec import Json

LOCK = "lock"
CREATING, CREATED, RUNNING, STOPPED = "creating", "created", "running", "stopped"
RECORD, CONFIG = "state.json", "config.json"
PAUSED = "paused"  # only the kernel knows: never written
ID_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+.-")

NAME_MAX = 255  # linux/limits.h


class State:
    """One container's record. `status` is the last one written; see `current`.

    `bundle` is the directory that its config.json came from, "" where options did; `wall_time`
    is when it was made, in seconds since 1970. `roles` are, for each phase that another process
    may perform, the mechanisms that take part; `namespaces` those that init has of its own;
    `startable` says that there is a program to start; `trace` is the context of its trace for
    the calls after `create`, {} where none is recorded.
    """

    __slots__ = (
        "_spec", "_spec_changed", "boot_id", "bundle", "created", "directory", "foreground", "id",
        "key", "lock_fd", "mechanisms", "namespaces", "pid", "roles", "root", "start_time",
        "startable", "status", "trace", "wall_time",
    )  # fmt: skip

    def __init__(self, root: str, container_id: str) -> None:
        if not container_id or container_id in (".", "..") or set(container_id) - ID_CHARACTERS:
            raise StateError(
                f'"{container_id}" is not a container id',
                hint="use letters, digits and _ + . - only",
            )
        if len(container_id) > NAME_MAX:
            what = f"the container id has {len(container_id)} letters"
            raise StateError(what, hint=f"choose one of at most {NAME_MAX}: it names a directory")
        self.root = root
        self.id = container_id
        self.directory = f"{root}/{container_id}"
        self.key = f"{fnv1a(f'{root}/{container_id}'):08x}"
        self.lock_fd = -1
        self._spec: Mapping[str, Json] | None = None
        self._spec_changed = False
        self.mechanisms: tuple[str, ...] = ()
        self.namespaces: tuple[str, ...] = ()
        self.roles: dict[str, Sequence[str]] = {}
        self.created: dict[str, Json] = {}
        self.trace: dict[str, Json] = {}
        self.pid = 0
        self.start_time = 0
        self.startable = False
        self.status = CREATING
        self.foreground = False
        self.bundle = ""
        self.wall_time = 0
        self.boot_id = boot_id()

    @property
    def spec(self) -> Mapping[str, Json]:
        """The configuration; read when it is asked for. StateError when it is damaged."""
        if self._spec is None:
            self._spec = self._read(CONFIG)
        return self._spec

    @spec.setter
    def spec(self, value: Mapping[str, Json]) -> None:
        self._spec, self._spec_changed = value, True

    def save(self) -> None:
        """Write what changed: a reader sees the old or the new file, never a part."""
        fields: dict[str, Json] = {
            "id": self.id, "status": self.status, "pid": self.pid,
            "start_time": self.start_time, "foreground": self.foreground,
            "boot_id": self.boot_id, "bundle": self.bundle, "wall_time": self.wall_time,
            "mechanisms": self.mechanisms, "namespaces": self.namespaces, "roles": self.roles,
            "startable": self.startable, "created": self.created,
            **({"trace": self.trace} if self.trace else {}),
        }  # fmt: skip
        try:
            if self._spec_changed:
                replace(f"{self.directory}/{CONFIG}", dumps(self.spec).encode())
                self._spec_changed = False
            replace(f"{self.directory}/{RECORD}", dumps(fields).encode())
        except OSError as error:
            raise state_root.unwritable(self.directory, error) from None

    def load(self) -> None:
        """Read state.json; StateError when the container does not exist."""
        fields = self._read(RECORD)
        if not all(map(self._fits, fields, fields.values())):
            raise self._damaged()
        for name, value in fields.items():
            setattr(self, name, value)

    def _read(self, name: str) -> Mapping[str, Json]:
        try:
            fields = loads(read_all(f"{self.directory}/{name}").decode())
        except FileNotFoundError:
            raise StateError(f"container {self.id} does not exist") from None
        except ValueError:
            fields = None
        if not isinstance(fields, dict):
            raise self._damaged()
        return fields

    def _damaged(self) -> StateError:
        return StateError(f"the state of container {self.id} is damaged")

    def _fits(self, name: str, value: Json) -> bool:
        """Whether a value that was read is of the kind that is written."""
        kind = type(getattr(self, name, self))
        return isinstance(value, list if kind is tuple else kind)

    def current(self) -> str:
        """The status now: a container whose init is gone has stopped, one that is frozen pauses."""
        if self.status not in (CREATED, RUNNING):
            return self.status
        if not self.init_alive():
            return STOPPED
        from minirt.linux import freezer

        still = freezer.place(self.cgroups())
        return PAUSED if still and freezer.frozen(still) else self.status

    def cgroups(self) -> list[str]:
        """The directories of its cgroups, one in each hierarchy."""
        made = self.created.get("cgroup")
        return [str(directory) for directory in made] if isinstance(made, (list, tuple)) else []

    def init_alive(self) -> bool:
        return bool(self.pid) and self.boot_id == boot_id() and alive(self.pid, self.start_time)

    def lock(self, *, wait: bool, make: bool = False) -> bool:
        """Take the container's lock; False when another has it or the directory is gone.

        Only the maker of the directory makes the lock file: it goes last when the directory is
        deleted, and nobody must bring it back meanwhile.
        """
        flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if make else 0)
        try:
            fd = os.open(f"{self.directory}/{LOCK}", flags, 0o600)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            return False
        if os.fstat(fd).st_nlink == 0:  # deleted while we waited
            os.close(fd)
            return False
        self.lock_fd = fd
        return True

    def unlock(self) -> None:
        if self.lock_fd >= 0:
            os.close(self.lock_fd)
            self.lock_fd = -1


def new(root: str, container_id: str) -> State:
    """Make the state directory, locked; StateError when the id is in use."""
    state = State(root, container_id)
    try:
        state_root.make(root)
        # Nobody else may get in: a set-user-ID file that a container makes is one for the host
        # too (CVE-2021-41091).
        os.mkdir(state.directory, 0o700)
        while not state.lock(wait=True, make=True):  # a collector took the empty directory away
            os.mkdir(state.directory, 0o700)
    except FileExistsError:
        raise StateError(
            f"container {container_id} exists already",
            hint="choose another id, or delete that container first",
        ) from None
    except OSError as error:
        raise state_root.unwritable(state.directory, error) from None
    return state


def every(root: str) -> Iterator[State]:
    """All containers below the state root, neither locked nor loaded."""
    try:
        names = os.listdir(root)
    except FileNotFoundError:
        return
    for name in sorted(names):
        if not set(name) - ID_CHARACTERS:
            yield State(root, name)


def remove(state: State) -> None:
    """Delete the state directory and all in it, the lock file last; links are not followed."""
    top = os.open(state.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        empty(top, keep=LOCK)
        os.unlink(LOCK, dir_fd=top)
    finally:
        os.close(top)
    remove_empty(state)


def remove_empty(state: State) -> None:
    """Delete a directory that has no lock file any more, or not yet: its maker was killed."""
    try:
        os.rmdir(state.directory)
    except OSError:
        pass  # it has one by now, or a collector was quicker


def boot_id() -> str:
    """This boot of the kernel: pids of another one mean nothing."""
    return read_all("/proc/sys/kernel/random/boot_id").decode().strip()


def fnv1a(text: str) -> int:
    """A 32-bit hash of `text` (FNV-1a): hashlib and binascii cost more to load than this."""
    value = 0x811C9DC5
    for byte in text.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value
