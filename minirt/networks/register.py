"""Who is on the bridge network: one small file, read and written under one lock.

A container is on the network as long as its init lives: what a killed runtime leaves here is
dropped by the next reader. The file lies in /run and not in a state root, and is named by the
inode of the host's network namespace, because that is what all its containers share: two
runtimes with different state roots must not give out one address twice. An inode number comes
again, after the namespace's end or a reboot, so the file also says whose it is: what another
namespace left is not believed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat

from minirt.codec import dumps, loads
from minirt.errors import ConfigError, HostError, InitDied
from minirt.linux import namespaces
from minirt.linux.netdev import netns_cookie
from minirt.linux.process import alive, start_time
from minirt.networks.subnets import Subnet, free_host
from minirt.reader import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from minirt.codec import Json

DIRECTORY = "/run/minirt/networks"
BOOT_ID = "/proc/sys/kernel/random/boot_id"
CHANGING = ("changing",)


class Endpoint:
    """One container on the network: its address, its names, what it publishes.

    hosts  path of its hosts file on the host ("" until it is written)
    ports  published ports, as the user wrote them
    """

    __slots__ = ("address", "hosts", "names", "pid", "ports", "started")

    def __init__(self, address: str, pid: int = 0, started: int = 0) -> None:
        self.address = address
        self.pid = pid
        self.started = started
        self.hosts = ""
        self.names: tuple[str, ...] = ()
        self.ports: tuple[str, ...] = ()

    @classmethod
    def read(cls, fields: Reader) -> Endpoint:
        endpoint = cls(fields.text("address"), fields.number("pid"), fields.number("started"))
        endpoint.hosts = fields.text("hosts")
        endpoint.names, endpoint.ports = fields.texts("names"), fields.texts("ports")
        return endpoint

    def fields(self) -> dict[str, Json]:
        return {name: getattr(self, name) for name in self.__slots__}

    def alive(self) -> bool:
        return alive(self.pid, self.started)


class Register:
    """The file, locked while in `with`; written back at the end, unless an error leaves it.

    namespace   which network namespace this is: the boot's id, and the namespace's cookie
    subnet      of the bridge, "" before there is one
    forwarding  net.ipv4.ip_forward as it was before minirt: "0", "1", or "" for not touched
    rules       the rules for published ports that nft has; CHANGING while it is given others
    last        the address given out last
    endpoints   by container key; only of containers whose init lives
    """

    def __init__(self, directory: str = DIRECTORY) -> None:
        self.path = f"{directory}/{namespaces.inode('self', 'net')}.json"
        self._lock_path = f"{directory}/lock"
        self._lock = -1
        self._clear()

        self.namespace = f"{_boot_id()}/{netns_cookie()}"

    def _clear(self) -> None:
        self.subnet = self.forwarding = self.last = ""
        self.rules: tuple[str, ...] = ()
        self.endpoints: dict[str, Endpoint] = {}

    def __enter__(self) -> Self:
        try:
            directory = os.path.dirname(self.path)
            _make_directory(os.path.dirname(directory), 0o755)
            _make_directory(directory, 0o700)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._lock = os.open(self._lock_path, flags, 0o600)
        except OSError as error:
            raise HostError(
                f"cannot write {self._lock_path}: {error.strerror}",
                hint="run as root, or use --network none",
            ) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            self._load()
        except BaseException:
            os.close(self._lock)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        try:
            if kind is None:
                self.save()
        finally:
            os.close(self._lock)

    def _load(self) -> None:
        self._clear()
        try:
            with open(self.path, encoding="utf-8") as file:
                document = Reader({"register": loads(file.read())})
            self._read(document.object("register"))
        except FileNotFoundError:
            return
        except (ValueError, ConfigError):
            raise HostError(
                f"{self.path} is damaged",
                hint="end the containers on the network, then remove the file",
            ) from None

    def _read(self, fields: Reader) -> None:
        self.subnet = fields.text("subnet")
        self.forwarding = fields.text("forwarding")
        self.last = fields.text("last")
        self.rules = fields.texts("rules")
        endpoints = fields.object("endpoints")
        found = {key: Endpoint.read(endpoints.object(key)) for key in endpoints.value}
        self.endpoints = {key: endpoint for key, endpoint in found.items() if endpoint.alive()}
        if fields.text("namespace") != self.namespace:
            self._clear()

    def save(self) -> None:
        """Write the file: a reader sees the old or the new one, never a part."""
        endpoints = {key: endpoint.fields() for key, endpoint in self.endpoints.items()}
        fields: dict[str, Json] = {
            "namespace": self.namespace, "subnet": self.subnet, "forwarding": self.forwarding,
            "last": self.last, "rules": self.rules, "endpoints": endpoints,
        }  # fmt: skip
        with open(f"{self.path}.new", "w", encoding="utf-8") as file:
            file.write(dumps(fields))
        os.rename(f"{self.path}.new", self.path)

    def join(self, key: str, pid: int) -> str:
        """Give container `key`, whose init is `pid`, an address that no other one has."""
        used = [endpoint.address for endpoint in self.endpoints.values()]
        self.last = free_host(Subnet(self.subnet), used, self.last)
        self.endpoints[key] = Endpoint(self.last, pid, start_time(pid))
        return self.last

    def ports(self) -> list[str]:
        """The published ports of all."""
        return [port for endpoint in self.endpoints.values() for port in endpoint.ports]

    def endpoint(self, key: str) -> Endpoint:
        """That of container `key`, which has joined; InitDied when its init has ended since."""
        if key not in self.endpoints:
            raise InitDied("the container ended while its network was set up")
        return self.endpoints[key]

    def forget(self) -> None:
        """Remove the file: the network is gone."""
        self._clear()
        for path in (self.path, f"{self.path}.new"):
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass


def _make_directory(path: str, mode: int) -> None:
    """Make it with `mode` whatever the umask; HostError when others could change what is in it."""
    try:
        os.mkdir(path, 0o700)
        os.chmod(path, mode)
    except FileExistsError:
        status = os.lstat(path)
        others_write = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if not stat.S_ISDIR(status.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, f"{path} is not a directory") from None
        if status.st_uid != os.geteuid() or others_write:
            raise HostError(
                f"{path} could be changed by another user",
                hint=f"chmod go-w {path}, or remove it if it is not yours",
            ) from None


def _boot_id() -> str:
    with open(BOOT_ID, encoding="ascii") as file:
        return file.read().strip()


def addresses(endpoints: Iterable[Endpoint]) -> list[tuple[str, tuple[str, ...]]]:
    """(address, names) of each, for a hosts file."""
    return [(endpoint.address, endpoint.names) for endpoint in endpoints if endpoint.names]
