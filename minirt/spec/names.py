"""What the container's kernel is called and set to: names, `linux.sysctl`, `linux.personality`."""

from __future__ import annotations

from minirt.errors import ConfigError
from minirt.linux.system import DOMAINS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from minirt.reader import Reader

HOSTNAME_MAX = 64
# What is the namespace's own, sysctl by sysctl (ipc_namespaces(7) and others).
OF_IPC = frozenset(
    f"kernel.{name}"
    for name in ("msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni",
                 "shm_rmid_forced", "auto_msgmni", "msg_next_id", "sem_next_id", "shm_next_id")
)  # fmt: skip
PREFIXES = {"fs.mqueue.": "ipc", "net.": "net", "user.": "user"}


def name(reader: Reader, member: str, namespaces: Mapping[str, str]) -> str:
    """`hostname` or `domainname`: only a namespace of the container's own can have it."""
    given = reader.text(member)
    if len(given.encode()) > HOSTNAME_MAX:
        raise ConfigError(
            f"is {len(given.encode())} bytes long; a host name has at most {HOSTNAME_MAX}",
            pointer=reader.where(member),
            hint="choose a shorter name",
        )
    if given and "uts" not in namespaces:
        raise ConfigError(
            "would rename the host: there is no private UTS namespace",
            pointer=reader.where(member),
            hint='add {"type": "uts"} to /linux/namespaces',
        )
    return given


def sysctls(linux: Reader, namespaces: Mapping[str, str]) -> dict[str, str]:
    """Settings as paths below /proc/sys; ConfigError for one that is the whole host's."""
    reader = linux.object("sysctl")
    found = {}
    for key in reader.value:
        # "/" and "." change places when "/" comes first: net/ipv4/conf/eth0.1 (sysctl.d(5)).
        path = key if _separator(key) == "/" else key.translate({ord("."): "/", ord("/"): "."})
        _require_namespaced(reader, key, path, namespaces)
        found[path] = reader.text(key)
    return found


def _separator(key: str) -> str:
    return next((character for character in key if character in "./"), ".")


def _require_namespaced(reader: Reader, key: str, path: str, namespaces: Mapping[str, str]) -> None:
    if path == "kernel/hostname":
        what = "conflicts with the member hostname"
        raise ConfigError(what, pointer=reader.where(key), hint="set /hostname instead")
    dotted = path.translate({ord("."): "/", ord("/"): "."})
    wanted = "uts" if dotted == "kernel.domainname" else "ipc" if dotted in OF_IPC else ""
    for prefix, namespace in PREFIXES.items():
        wanted = namespace if dotted.startswith(prefix) else wanted
    if not wanted or ".." in path.split("/"):
        what = f'sysctl "{key}" is not in a separate kernel namespace'
        raise ConfigError(what, pointer=reader.where(key), hint="set it on the host")
    if wanted not in namespaces:
        what = f'sysctl "{key}" is not allowed in the {wanted} namespace of the host'
        raise ConfigError(what, pointer=reader.where(key), hint="make such a namespace")


def personality(linux: Reader) -> int | None:
    """The execution domain (personality(2)); None without the member."""
    if linux.value.get("personality") is None:
        return None
    reader = linux.object("personality")
    if reader.items("flags"):
        what = "must be empty: the specification defines none"
        raise ConfigError(what, pointer=reader.where("flags"))
    domain = reader.text("domain")
    if domain not in DOMAINS:
        what = f'"{domain}" is not one of {", ".join(DOMAINS)}'
        raise ConfigError(what, pointer=reader.where("domain"))
    return DOMAINS[domain]
