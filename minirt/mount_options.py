"""The options of a mount entry, as mount(8) and the OCI specification name them."""

from __future__ import annotations

from minirt.errors import ConfigError
from minirt.linux.mount import ATTRIBUTES
from minirt.mechanisms.mounts import Mount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.spec import MountSpec

OPPOSITES = {"rw": "ro", "suid": "nosuid", "dev": "nodev", "exec": "noexec"}
# The defaults, and what Mnt has done already: private propagation.
NOTHING = frozenset(("relatime", "async", "bind", "private", "rprivate", "defaults"))


def mount_of(entry: MountSpec) -> Mount:
    """The mount that an entry of `mounts` describes; ConfigError names an unknown option."""
    mount = Mount(entry.destination, entry.fstype, entry.source, entry.pointer)
    data = []
    for option in entry.options:
        if option in ATTRIBUTES:
            mount.attributes |= ATTRIBUTES[option]
        elif option in OPPOSITES:  # of two that contradict each other the last one counts
            mount.attributes &= ~ATTRIBUTES[OPPOSITES[option]]
        elif option == "rbind":
            mount.recursive = True
        elif option not in NOTHING:
            key, _, value = option.partition("=")
            data.append((key, value))
    if data and entry.fstype == "bind":
        raise ConfigError(
            f'a bind mount has no option "{data[0][0]}"',
            pointer=f"{entry.pointer}/options",
            hint="use ro, rw, nosuid, nodev, noexec, bind or rbind",
        )
    mount.data = tuple(data)
    return mount
