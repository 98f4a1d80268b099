"""What a person asks for on the command line, as an OCI configuration (config.json)."""

from __future__ import annotations

import os

from minirt import ids, resources
from minirt.errors import ConfigError
from minirt.linux.caps import DEFAULT, asked, kept
from minirt.spec.names import HOSTNAME_MAX
from minirt.spec.namespaces import NAMESPACES
from minirt.stepping import mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from minirt.codec import Json
    from minirt.images.store import Image
    from minirt.stepping.parser import Values

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What docker hides and protects: files of the one kernel that all containers share.
MASKED = (
    "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys",
    "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
    "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
)  # fmt: skip
READONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")


class Request:
    """The options' values, and what is known about the caller and the container to be."""

    __slots__ = ("directory", "id", "image", "rootless", "step", "values")

    def __init__(self, step: int, values: Values, container_id: str, directory: str) -> None:
        self.step = step
        self.values = values
        self.id = container_id
        self.directory = directory
        self.rootless = os.geteuid() != 0
        self.image: Image | None = None

    def config(self) -> dict[str, Json]:
        """The whole document; ConfigError names the option that is wrong."""
        capabilities = self.capabilities()
        return {
            "ociVersion": "1.2.0",
            "hostname": self.hostname(),
            "process": {
                "args": self.command(),
                "env": self.environment(),
                "cwd": self.working_directory(),
                "terminal": os.isatty(0),
                "user": {"uid": 0, "gid": 0},
                "capabilities": {
                    name: list(capabilities) for name in ("bounding", "effective", "permitted")
                },
                "noNewPrivileges": True,
            },
            "mounts": self.mounts(),
            "linux": {
                "namespaces": [{"type": kind} for kind in self.namespaces()],
                **self.id_maps(),
                "cgroupsPath": f"minirt/{self.id}" if self.rootless else f"/minirt/{self.id}",
                "resources": self.resources(),
                "maskedPaths": list(MASKED),
                "readonlyPaths": list(READONLY),
            },
            "minirt": {
                "layers": self.layers(),
                "terminal": "partial",
                "network": {"mode": self.network(), "publish": self.published()},
                "seccomp": self.seccomp(),
                "cgroups": "limited",
                "requiredCapabilities": self.required_capabilities(),
            },
        }

    def hostname(self) -> str:
        """The name given, else one that tells step and container; hostname(7) says what it is."""
        name = self.values.text("--hostname", f"step{self.step}-{self.id[:6]}")
        plain = name.replace("-", "").replace(".", "")
        if not (plain.isascii() and plain.isalnum()) or len(name) > HOSTNAME_MAX:
            raise ConfigError(
                f'"{name}" is not a host name',
                pointer="--hostname",
                hint=f"use letters, digits, - and ., at most {HOSTNAME_MAX}",
            )
        return name

    def command(self) -> list[str]:
        """What was asked for, else an interactive shell."""
        if self.values.command:
            return list(self.values.command)
        return ["/bin/sh"] if self.step >= 3 else [os.environ.get("SHELL") or "/bin/sh"]

    def environment(self) -> list[str]:
        """Steps 1 and 2 run in the caller's files, so in their environment; then the image's."""
        if self.step < 3:
            return [f"{name}={value}" for name, value in os.environ.items()]
        env = [f"PATH={PATH}", "HOME=/root", f"HOSTNAME={self.hostname()}"]
        if "TERM" in os.environ and os.isatty(0):
            env.append(f"TERM={os.environ['TERM']}")
        return [*env, *(self.image.env if self.image else ()), *self.variables()]

    def variables(self) -> list[str]:
        given = self.values.texts("--env")
        for variable in given:
            name, equals, _ = variable.partition("=")
            if not name or not equals:
                raise ConfigError(
                    f'"{variable}" sets no variable', pointer="--env", hint="use KEY=VALUE"
                )
        return given

    def working_directory(self) -> str:
        if self.step < 3:
            return _current_directory()
        return self.image.working_dir if self.image else "/"

    def layers(self) -> list[str]:
        if self.step < 3:
            return []
        return list(self.image.layers) if self.image else [self.rootfs()]

    def rootfs(self) -> str:
        if self.values.on("--image"):
            raise ConfigError("excludes --image", pointer="--rootfs", hint="name one of the two")
        path = os.path.abspath(self.values.text("--rootfs"))
        if not os.path.isdir(path):
            state = "is not a directory" if os.path.exists(path) else "does not exist"
            raise ConfigError(
                f"{path} {state}", pointer="--rootfs", hint="name the directory of a root file tree"
            )
        return path

    def network(self) -> str:
        mode = self.values.text("--network", "none" if self.rootless else "bridge")
        if mode not in ("bridge", "none", "host"):
            raise ConfigError(
                f'"{mode}" is not a network', pointer="--network", hint="use bridge, none or host"
            )
        if self.rootless and mode == "bridge":
            raise ConfigError(
                "the bridge needs root", pointer="--network", hint="use sudo, or --network none"
            )
        return mode

    def published(self) -> list[str]:
        ports = self.values.texts("--publish")
        if not ports:
            return []
        from minirt.networks.ports import Port

        if self.network() != "bridge":
            raise ConfigError(
                f"network {self.network()} has no ports to publish",
                pointer="--publish",
                hint="leave it out, or use --network bridge, which needs root",
            )
        return [Port(text).text for text in ports]

    def namespaces(self) -> list[str]:
        """All that any step makes; the step's mechanisms choose among them."""
        user = self.rootless or self.values.on("--userns")
        unwanted = {"time", *(() if user else ("user",))}
        unwanted |= {"network"} if self.network() == "host" else set()
        return [kind for kind in NAMESPACES if kind not in unwanted]

    def id_maps(self) -> dict[str, Json]:
        if "user" not in self.namespaces():
            return {}
        uid_maps, gid_maps = ids.host_maps()
        return {"uidMappings": _mappings(uid_maps), "gidMappings": _mappings(gid_maps)}

    def resources(self) -> Mapping[str, Json]:
        wanted = (self.values.text(f"--{name}") for name in ("cpus", "memory", "pids", "io-bps"))
        return resources.from_options(*wanted)

    def capabilities(self) -> tuple[str, ...]:
        add, drop = self.values.texts("--cap-add"), self.values.texts("--cap-drop")
        return kept(add, drop) if add or drop else DEFAULT

    def required_capabilities(self) -> list[str]:
        """Those asked for by name: to be refused rather than left out where they cannot be had."""
        return list(asked(self.values.texts("--cap-add")))

    def seccomp(self) -> str:
        profile = self.values.text("--seccomp", "default")
        if profile not in ("default", "unconfined"):
            raise ConfigError(
                f'"{profile}" is not a profile', pointer="--seccomp", hint="default or unconfined"
            )
        return profile

    def mounts(self) -> list[Json]:
        """The system's, then those asked for, then the files about names."""
        if self.step < 3:
            return []
        hosts_network = self.step < 4 or self.network() == "host"
        return [
            *mounts.proc_dev(rootless=self.rootless),
            # A sysfs belongs to a network namespace, and who is root in a user namespace has no
            # rights over the host's.
            mounts.sys(bound=hosts_network and "user" in self.namespaces()),
            *map(mounts.tmpfs, self.values.texts("--tmpfs")),
            *map(mounts.volume, self.values.texts("--volume")),
            *(mounts.etc(self.directory) if self.step >= 4 else ()),
        ]


def _current_directory() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        raise ConfigError("the current directory was removed", hint="go to another: cd") from None


def _mappings(maps: tuple[tuple[int, int, int], ...]) -> Json:
    return [{"containerID": inside, "hostID": host, "size": size} for inside, host, size in maps]
