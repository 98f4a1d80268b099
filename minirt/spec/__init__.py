"""What a container shall be: config.json of the OCI runtime specification, read and checked.

Steps and people come here from their options, engines from a file: there is no second way in.
The member "minirt" holds what the specification leaves to others: the layers of the root, the
network outside the namespace, the choice of the default seccomp profile, and whether a cgroup is
made only in those hierarchies that limit or count something ("limited"), or in a systemd scope.
"""

from __future__ import annotations

from minirt.errors import ConfigError
from minirt.reader import Reader
from minirt.spec.namespaces import (
    id_maps,
    namespaces,
    net_devices,
    refuse_resctrl,
    require_maps,
    time_offsets,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from minirt.codec import Json
    from minirt.spec.hooks import Hook

MAJOR = 1  # of the specification


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
    """The whole configuration; `raw` is the document it was read from.

    Who makes a container reads the `whole` of it, since all of it must be right. Of one that was
    made, what is asked for is read then: `exec` and `delete` need little.
    """

    __slots__ = (
        "annotations", "cgroup_everywhere", "cgroup_resources", "cgroup_scope", "cgroups_path",
        "default_seccomp", "domainname", "gid_maps", "has_root", "hooks", "hostname",
        "keeps_keyring", "layers", "masked_paths", "memory_policy", "mounts", "namespaces",
        "net_devices", "network", "personality", "process", "raw", "readonly_paths",
        "required_capabilities", "rootfs", "rootfs_readonly", "seccomp", "seccomp_flags",
        "seccomp_listener", "sysctls", "terminal", "time_offsets", "uid_maps",
    )  # fmt: skip

    def __init__(self, raw: Mapping[str, Json], *, whole: bool = True) -> None:
        self.raw = raw
        for read in PARTS if whole else ():
            read(self)

    def __getattr__(self, attribute: str) -> Any:
        """One that nobody has asked for yet."""
        for read, attributes in PARTS.items():
            if attribute in attributes:
                read(self)
                return getattr(self, attribute)
        raise AttributeError(attribute)

    def makes(self, namespace: str) -> bool:
        """Whether this namespace (its name under /proc/PID/ns) is a new one."""
        return self.namespaces.get(namespace) == ""

    def require_version(self) -> None:
        version = Reader(self.raw).text("ociVersion", "1.0.0")
        parts = version.partition("+")[0].partition("-")[0].split(".")
        if len(parts) != 3 or not all(map(str.isdecimal, parts)) or int(parts[0]) != MAJOR:
            what = f'"{version}" is no version {MAJOR}.x.y of the specification'
            raise ConfigError(what, pointer="/ociVersion", hint="write 1.2.0")

    def read_process(self) -> None:
        from minirt.spec.process import Process

        self.process = Process(Reader(self.raw).object("process"))

    def read_root(self) -> None:
        root, own = Reader(self.raw).object("root"), Reader(self.raw).object("minirt")
        self.rootfs = root.text("path")
        self.rootfs_readonly = root.flag("readonly")
        self.layers = own.texts("layers")
        self.has_root = bool(self.layers or self.rootfs)
        mounts = Reader(self.raw).objects("mounts")
        self.mounts = tuple(MountSpec(mount) for mount in mounts)

    def read_own(self) -> None:
        own = Reader(self.raw).object("minirt")
        self.default_seccomp = own.text("seccomp") == "default"
        self.required_capabilities = own.texts("requiredCapabilities")
        self.keeps_keyring = own.flag("noNewKeyring")
        self.network = Network(own.object("network"))
        self.terminal = own.text("terminal")

    def read_hooks(self) -> None:
        self.annotations = dict(Reader(self.raw).object("annotations").value)
        self.hooks = _hooks(Reader(self.raw).object("hooks"))

    def read_cgroup(self) -> None:
        linux, own = Reader(self.raw).object("linux"), Reader(self.raw).object("minirt")
        self.cgroups_path = linux.text("cgroupsPath")
        self.cgroup_resources = linux.object("resources").value
        scope = own.object("scope")
        self.cgroup_scope = (scope.text("slice"), scope.text("unit"), scope.text("path"))
        self.cgroup_everywhere = own.text("cgroups") != "limited"
        refuse_resctrl(linux)

    def read_namespaces(self) -> None:
        linux = Reader(self.raw).object("linux")
        self.namespaces = namespaces(linux)
        self.uid_maps = id_maps(linux, "uidMappings")
        self.gid_maps = id_maps(linux, "gidMappings")
        require_maps(linux, self.namespaces)
        self.time_offsets = time_offsets(linux, self.namespaces)
        self.net_devices = net_devices(linux, self.namespaces)

    def read_kernel(self) -> None:
        from minirt.spec import names

        linux = Reader(self.raw).object("linux")
        self.sysctls = names.sysctls(linux, self.namespaces)
        self.personality = names.personality(linux)
        self.memory_policy = _memory_policy(linux)
        self.hostname = names.name(Reader(self.raw), "hostname", self.namespaces)
        self.domainname = names.name(Reader(self.raw), "domainname", self.namespaces)

    def read_rights(self) -> None:
        linux = Reader(self.raw).object("linux")
        seccomp = linux.object("seccomp")
        self.seccomp = dict(seccomp.value)
        self.seccomp_flags, self.seccomp_listener = _filter(seccomp)
        self.masked_paths = linux.texts("maskedPaths")
        self.readonly_paths = linux.texts("readonlyPaths")


# How each attribute is read. The order is that of the document, for the first complaint.
PARTS: dict[Callable[[Spec], None], tuple[str, ...]] = {
    Spec.require_version: (),
    Spec.read_process: ("process",),
    Spec.read_root: ("rootfs", "rootfs_readonly", "layers", "has_root", "mounts"),
    Spec.read_own: (
        "default_seccomp", "required_capabilities", "keeps_keyring", "network", "terminal",
    ),
    Spec.read_hooks: ("annotations", "hooks"),
    Spec.read_namespaces: (
        "namespaces", "uid_maps", "gid_maps", "time_offsets", "net_devices",
    ),
    Spec.read_kernel: (
        "sysctls", "personality", "memory_policy", "hostname", "domainname",
    ),
    Spec.read_cgroup: (
        "cgroups_path", "cgroup_resources", "cgroup_scope", "cgroup_everywhere",
    ),
    Spec.read_rights: (
        "seccomp", "seccomp_flags", "seccomp_listener", "masked_paths", "readonly_paths",
    ),
}  # fmt: skip


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
