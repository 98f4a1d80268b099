"""What a person asks for on the command line, as an OCI configuration (config.json)."""

from __future__ import annotations

import os

from minirt import ids, resources
from minirt.errors import ConfigError
from minirt.linux.caps import DEFAULT, asked, kept
from minirt.spec import HOSTNAME_MAX, NAMESPACES

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
                "network": {"mode": self.network(), "publish": self.published()},
                "seccomp": self.seccomp(),
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
        return [*env, *(self.image.env if self.image else ()), *self.values.texts("--env")]

    def working_directory(self) -> str:
        if self.step < 3:
            return os.getcwd()
        return self.image.working_dir if self.image else "/"

    def layers(self) -> list[str]:
        if self.step < 3:
            return []
        return list(self.image.layers) if self.image else [self.rootfs()]

    def rootfs(self) -> str:
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
        if ports and self.network() != "bridge":
            raise ConfigError(
                f"network {self.network()} has no ports to publish",
                pointer="--publish",
                hint="leave it out, or use --network bridge, which needs root",
            )
        return ports

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
        if self.step < 3:
            return []
        listed = [*self.system_mounts(), *map(_tmpfs, self.values.texts("--tmpfs"))]
        listed += map(_volume, self.values.texts("--volume"))
        if self.step >= 4:
            listed += [
                _bind(f"{self.directory}/{name}", f"/etc/{name}", "rw")
                for name in ("hosts", "hostname", "resolv.conf")
            ]
        return listed

    def system_mounts(self) -> list[Json]:
        """/proc, /dev and /sys as the specification's default configuration has them."""
        safe = ["nosuid", "noexec", "nodev"]
        pts = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]
        sysfs = _mount("sysfs", "/sys", [*safe, "ro"])
        hosts_network = self.step < 4 or self.network() == "host"
        if hosts_network and "user" in self.namespaces():
            # A sysfs belongs to a network namespace, and who is root in this user namespace
            # has no rights over the host's.
            sysfs = _bind("/sys", "/sys", "ro", "rbind")
        return [
            _mount("proc", "/proc", safe),
            _mount("tmpfs", "/dev", ["nosuid", "nodev", "mode=755", "size=64m"]),
            _mount("devpts", "/dev/pts", pts if self.rootless else [*pts, "gid=5"]),
            _mount("tmpfs", "/dev/shm", [*safe, "mode=1777", "size=64m"]),  # noqa: S108
            _mount("mqueue", "/dev/mqueue", safe),
            sysfs,
        ]


def _mappings(maps: tuple[tuple[int, int, int], ...]) -> Json:
    return [{"containerID": inside, "hostID": host, "size": size} for inside, host, size in maps]


def _mount(fstype: str, destination: str, options: list[str]) -> Json:
    return {"destination": destination, "type": fstype, "source": fstype, "options": options}


def _bind(source: str, destination: str, access: str, kind: str = "bind") -> Json:
    return {"destination": destination, "source": source, "options": [kind, access, "nodev"]}


def _tmpfs(text: str) -> Json:
    """--tmpfs DST[:OPTIONS]."""
    destination, _, options = text.partition(":")
    _require_absolute(destination, "--tmpfs")
    return _mount("tmpfs", destination, ["nodev", *filter(None, options.split(","))])


def _volume(text: str) -> Json:
    """--volume SRC:DST[:ro]; SRC may be relative to the caller's directory."""
    source, _, rest = text.partition(":")
    destination, _, access = rest.partition(":")
    _require_absolute(destination, "--volume")
    if access not in ("", "ro", "rw"):
        raise ConfigError(f'"{access}" is neither ro nor rw', pointer="--volume")
    if not source or not os.path.lexists(source):
        raise ConfigError(
            f"{source or 'the source'} does not exist on the host",
            pointer="--volume",
            hint=f"make it first: mkdir -p {source}" if source else "use SRC:DST",
        )
    return _bind(os.path.abspath(source), destination, access or "rw", "rbind")


def _require_absolute(path: str, option: str) -> None:
    if not path.startswith("/"):
        raise ConfigError(
            f'"{path}" is not an absolute path inside the container',
            pointer=option,
            hint="the form is SRC:DST[:ro]"
            if option == "--volume"
            else "the form is DST[:OPTIONS]",
        )
