"""What a container shall be: config.json of the OCI runtime specification, read and checked.

Steps and people come here from their options, engines from a file: there is no second way in.
The member "minirt" holds what the specification leaves to others: the layers of the root, the
network outside the namespace, the choice of the default seccomp profile, and whether a cgroup is
made only in those hierarchies that limit or count something ("limited"), or in a systemd scope.
"""

from __future__ import annotations

from minirt.errors import ConfigError
from minirt.reader import Reader
from minirt.spec.names import name, personality, sysctls
from minirt.spec.namespaces import (
    id_maps,
    namespaces,
    net_devices,
    refuse_resctrl,
    require_maps,
    time_offsets,
)
from minirt.spec.process import Process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from minirt.codec import Json
    from minirt.spec.hooks import Hook


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
        self.uid_maps = id_maps(reader, "uidMappings")
        self.gid_maps = id_maps(reader, "gidMappings")
        bind = {"bind", "rbind"} & set(self.options)
        self.fstype = "bind" if bind else reader.text("type", "bind")
        self.source = reader.text("source", self.fstype)


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
        "default_seccomp", "domainname", "gid_maps", "has_root", "hooks", "hostname",
        "keeps_keyring", "layers", "masked_paths", "memory_policy", "mounts", "namespaces",
        "net_devices", "network",
        "personality", "process", "raw", "readonly_paths", "required_capabilities", "rootfs",
        "rootfs_readonly", "seccomp", "seccomp_flags", "seccomp_listener", "sysctls", "terminal",
        "time_offsets", "uid_maps",
    )  # fmt: skip

    def __init__(self, raw: Mapping[str, Json]) -> None:
        self.raw = raw
        reader = Reader(raw)
        linux, own = reader.object("linux"), reader.object("minirt")
        self.process = Process(reader.object("process"))
        self.rootfs = reader.object("root").text("path")
        self.rootfs_readonly = reader.object("root").flag("readonly")
        self.default_seccomp = own.text("seccomp") == "default"
        self.required_capabilities = own.texts("requiredCapabilities")
        self.layers = own.texts("layers")
        self.keeps_keyring = own.flag("noNewKeyring")
        self.mounts = tuple(MountSpec(mount) for mount in reader.objects("mounts"))
        self.annotations = dict(reader.object("annotations").value)
        self.hooks = _hooks(reader.object("hooks"))
        self.network = Network(own.object("network"))
        self.terminal = own.text("terminal")
        scope = own.object("scope")
        self.cgroup_scope = (scope.text("slice"), scope.text("unit"), scope.text("path"))
        self.cgroup_everywhere = own.text("cgroups") != "limited"
        self.has_root = bool(self.layers or self.rootfs)
        self._read_linux(linux)
        self.hostname = name(reader, "hostname", self.namespaces)
        self.domainname = name(reader, "domainname", self.namespaces)

    def _read_linux(self, linux: Reader) -> None:
        self.namespaces = namespaces(linux)
        self.sysctls = sysctls(linux, self.namespaces)
        self.personality = personality(linux)
        self.uid_maps = id_maps(linux, "uidMappings")
        self.gid_maps = id_maps(linux, "gidMappings")
        require_maps(linux, self.namespaces)
        self.time_offsets = time_offsets(linux, self.namespaces)
        self.net_devices = net_devices(linux, self.namespaces)
        self.memory_policy = _memory_policy(linux)
        refuse_resctrl(linux)
        self.cgroups_path = linux.text("cgroupsPath")
        self.cgroup_resources = linux.object("resources").value
        seccomp = linux.object("seccomp")
        self.seccomp = dict(seccomp.value)
        self.seccomp_flags, self.seccomp_listener = _filter(seccomp)
        self.masked_paths = linux.texts("maskedPaths")
        self.readonly_paths = linux.texts("readonlyPaths")

    def makes(self, namespace: str) -> bool:
        """Whether this namespace (its name under /proc/PID/ns) is a new one."""
        return self.namespaces.get(namespace) == ""


def _hooks(reader: Reader) -> Mapping[str, tuple[Hook, ...]]:
    """The hooks of each kind that has any."""
    if not reader.value:
        return {}
    from minirt.spec.hooks import hooks

    return hooks(reader)


def _memory_policy(linux: Reader) -> tuple[int, frozenset[int]] | None:
    if linux.value.get("memoryPolicy") is None:
        return None
    from minirt.spec.memory_policy import memory_policy

    return memory_policy(linux)


def _filter(seccomp: Reader) -> tuple[int, tuple[str, str] | None]:
    """How the filter is loaded, and who answers for calls."""
    if not seccomp.value:
        return 0, None
    from minirt.spec.seccomp import filter_flags, listener

    return filter_flags(seccomp), listener(seccomp)
