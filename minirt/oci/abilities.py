"""What this runtime can do, for engines that ask before they use it (runtime-spec, features.md).

A table: who adds an ability adds it here. What other modules list already is theirs.
"""

from __future__ import annotations

from minirt import __version__
from minirt.linux.caps import NAMES
from minirt.linux.libseccomp import ACTIONS, ARCHITECTURES, OPERATORS
from minirt.linux.mempolicy import FLAGS, MODES
from minirt.linux.seccomp import FILTER_FLAGS
from minirt.mount_options import OPTIONS
from minirt.spec.hooks import KINDS
from minirt.spec.namespaces import NAMESPACES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.codec import Json

# Of the specification that this document follows: netDevices and memoryPolicy came with 1.3.
OLDEST, NEWEST = "1.0.0", "1.3.0"
CGROUP = {"v1": True, "v2": True, "systemd": True, "systemdUser": False, "rdma": True}
# Whether config.json may ask for it; whether the machine has it is another question.
ENABLED = {"apparmor": True, "selinux": True, "intelRdt": False}
IDMAP = True
UNSAFE_ANNOTATIONS: tuple[str, ...] = ()


def document() -> dict[str, Json]:
    flags = sorted(FILTER_FLAGS)
    return {
        "ociVersionMin": OLDEST,
        "ociVersionMax": NEWEST,
        "hooks": list(KINDS),
        "mountOptions": sorted(OPTIONS),
        "linux": {
            "namespaces": sorted(NAMESPACES),
            "capabilities": list(NAMES),
            "cgroup": dict(CGROUP),
            "seccomp": {
                "enabled": True,
                "actions": sorted(ACTIONS),
                "operators": sorted(OPERATORS),
                "archs": sorted(ARCHITECTURES),
                "knownFlags": flags,
                "supportedFlags": flags,
            },
            **{name: {"enabled": enabled} for name, enabled in ENABLED.items()},
            "netDevices": {"enabled": True},
            "memoryPolicy": {"modes": sorted(MODES), "flags": sorted(FLAGS)},
            "mountExtensions": {"idmap": {"enabled": IDMAP}},
        },
        "annotations": {"dev.minirt.version": __version__},
        "potentiallyUnsafeConfigAnnotations": list(UNSAFE_ANNOTATIONS),
    }
