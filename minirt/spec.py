"""What a container shall be: config.json of the OCI runtime specification, read and checked.

Steps and people come here from their options, engines from a file: there is no second way in.
The member "minirt" holds what the specification leaves to others: the layers of the root, the
network outside the namespace, the choice of the default seccomp profile, and whether a cgroup is
made only in those hierarchies that limit or count something ("limited"), or in a systemd scope.
"""

from __future__ import annotations

from minirt.errors import ConfigError
from minirt.reader import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from minirt.codec import Json

# OCI's name for a namespace -> its name under /proc/PID/ns.
NAMESPACES = {
    "pid": "pid", "network": "net", "mount": "mnt", "ipc": "ipc", "uts": "uts",
    "user": "user", "cgroup": "cgroup", "time": "time",
}  # fmt: skip
HOSTNAME_MAX = 64
IdMap = tuple[int, int, int]


class MountSpec:
    """One entry of `mounts`: destination inside, source on the host, type and options."""

    __slots__ = (
        "destination", "fstype", "gid_maps", "options", "pointer", "source", "uid_maps",
    )  # fmt: skip

    def __init__(self, reader: Reader) -> None:
        self.pointer = reader.pointer
        # Relative to "/" if it is relative: a habit of old tools, which the specification allows.
        self.destination = f"/{reader.text('destination').lstrip('/')}"
        if self.destination == "/":
            raise ConfigError("must be a path below /", pointer=reader.where("destination"))
        self.options = reader.texts("options")
        self.uid_maps = tuple(id_map(entry) for entry in reader.objects("uidMappings"))
        self.gid_maps = tuple(id_map(entry) for entry in reader.objects("gidMappings"))
        bind = {"bind", "rbind"} & set(self.options)
        self.fstype = "bind" if bind else reader.text("type", "bind")
        self.source = reader.text("source", self.fstype)


class Hook:
    """One program of `hooks`: run on the host with the container's state on its input."""

    __slots__ = ("args", "env", "path", "timeout")

    def __init__(self, reader: Reader) -> None:
        self.path = reader.text("path")
        if not self.path.startswith("/"):
            raise ConfigError("must be an absolute path", pointer=reader.where("path"))
        self.args = reader.texts("args")
        self.env = reader.texts("env")
        self.timeout = reader.number("timeout")


class Process:
    """The program and who runs it (`process`)."""

    __slots__ = (
        "args", "capabilities", "cwd", "env", "gid", "groups", "no_new_privs", "rlimits",
        "terminal", "uid", "umask",
    )  # fmt: skip

    def __init__(self, reader: Reader) -> None:
        self.args = reader.texts("args")
        self.env = _environment(reader)
        self.cwd = reader.text("cwd", "/")
        self.terminal = reader.flag("terminal")
        self.no_new_privs = reader.flag("noNewPrivileges")
        if self.args == () or not self.args[0]:
            raise ConfigError("must name a program", pointer=reader.where("args"))
        if not self.cwd.startswith("/"):
            raise ConfigError("must be an absolute path", pointer=reader.where("cwd"))
        user = reader.object("user")
        self.uid, self.gid = user.number("uid"), user.number("gid")
        self.groups = tuple(g for g in user.items("additionalGids") if isinstance(g, int))
        self.umask = user.number("umask", 0o022)
        self.capabilities = _capabilities(reader)
        self.rlimits = tuple(
            (limit.text("type"), limit.number("soft"), limit.number("hard"))
            for limit in reader.objects("rlimits")
        )


def _environment(reader: Reader) -> tuple[str, ...]:
    variables = reader.texts("env")
    for index, variable in enumerate(variables):
        name, equals, _ = variable.partition("=")
        if not name or not equals:
            pointer = f"{reader.where('env')}/{index}"
            raise ConfigError(f'"{variable}" is not NAME=VALUE', pointer=pointer)
    return variables


def _capabilities(reader: Reader) -> dict[str, tuple[str, ...]]:
    """The five sets by name; without the member, all are empty."""
    sets = reader.object("capabilities")
    names = ("bounding", "effective", "permitted", "inheritable", "ambient")
    return {name: sets.texts(name) for name in names}


class Network:
    """The network outside the namespace (`minirt.network`): mode bridge, none, host or ""."""

    __slots__ = ("mode", "publish")

    def __init__(self, reader: Reader) -> None:
        self.mode = reader.text("mode")
        self.publish = reader.texts("publish")


class Spec:
    """The whole configuration; `raw` is the document it was read from."""

    __slots__ = (
        "annotations", "cgroup_everywhere", "cgroup_resources", "cgroup_scope", "cgroups_path",
        "default_seccomp", "gid_maps", "has_root", "hooks", "hostname", "layers", "masked_paths",
        "mounts", "namespaces", "network", "process", "raw", "readonly_paths",
        "required_capabilities", "rootfs", "rootfs_readonly", "seccomp", "uid_maps",
    )  # fmt: skip

    def __init__(self, raw: Mapping[str, Json]) -> None:
        self.raw = raw
        reader = Reader(raw)
        linux, own = reader.object("linux"), reader.object("minirt")
        self.process = Process(reader.object("process"))
        self.hostname = _hostname(reader)
        self.rootfs = reader.object("root").text("path")
        self.rootfs_readonly = reader.object("root").flag("readonly")
        self.default_seccomp = own.text("seccomp") == "default"
        self.required_capabilities = own.texts("requiredCapabilities")
        self.layers = own.texts("layers")
        self.mounts = tuple(MountSpec(mount) for mount in reader.objects("mounts"))
        self.annotations = dict(reader.object("annotations").value)
        self.hooks = _hooks(reader.object("hooks"))
        self.namespaces = dict(_namespace(entry) for entry in linux.objects("namespaces"))
        self.uid_maps = tuple(id_map(entry) for entry in linux.objects("uidMappings"))
        self.gid_maps = tuple(id_map(entry) for entry in linux.objects("gidMappings"))
        self.has_root = bool(self.layers or self.rootfs)
        self.cgroups_path = linux.text("cgroupsPath")
        scope = own.object("scope")
        self.cgroup_scope = (scope.text("slice"), scope.text("unit"), scope.text("path"))
        self.cgroup_everywhere = own.text("cgroups") != "limited"
        self.cgroup_resources = linux.object("resources").value
        self.seccomp = dict(linux.object("seccomp").value)
        self.masked_paths = linux.texts("maskedPaths")
        self.readonly_paths = linux.texts("readonlyPaths")
        self.network = Network(own.object("network"))

    def makes(self, namespace: str) -> bool:
        """Whether this namespace (its name under /proc/PID/ns) is a new one."""
        return self.namespaces.get(namespace) == ""


def _hostname(reader: Reader) -> str:
    name = reader.text("hostname")
    if len(name.encode()) > HOSTNAME_MAX:
        raise ConfigError(
            f"is {len(name.encode())} bytes long; a host name has at most {HOSTNAME_MAX}",
            pointer=reader.where("hostname"),
            hint="choose a shorter name",
        )
    return name


def _namespace(entry: Reader) -> tuple[str, str]:
    """(name under /proc/PID/ns, path to join or "" for a new one)."""
    kind, path = entry.text("type"), entry.text("path")
    if kind not in NAMESPACES:
        known = ", ".join(NAMESPACES)
        raise ConfigError(f'"{kind}" is not one of {known}', pointer=entry.where("type"))
    if path and not path.startswith("/"):
        raise ConfigError("must be an absolute path", pointer=entry.where("path"))
    return NAMESPACES[kind], path


def id_map(entry: Reader) -> IdMap:
    """(first inside, first outside, how many)."""
    size = entry.number("size")
    if size <= 0:
        raise ConfigError("must be at least 1", pointer=entry.where("size"))
    return entry.number("containerID"), entry.number("hostID"), size


def _hooks(reader: Reader) -> dict[str, tuple[Hook, ...]]:
    kinds = (
        "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
    )  # fmt: skip
    return {kind: tuple(Hook(h) for h in reader.objects(kind)) for kind in kinds}
