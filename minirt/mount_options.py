"""The options of a mount entry, as mount(8) and the OCI specification name them."""

from __future__ import annotations

from minirt.errors import ConfigError
from minirt.linux.mount import (
    MOUNT_ATTR_NODEV,
    MOUNT_ATTR_NOEXEC,
    MOUNT_ATTR_NOSUID,
    MOUNT_ATTR_RDONLY,
)
from minirt.mechanisms.mounts import Mount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.spec import MountSpec

ATTRIBUTES = {
    "ro": MOUNT_ATTR_RDONLY,
    "nosuid": MOUNT_ATTR_NOSUID,
    "nodev": MOUNT_ATTR_NODEV,
    "noexec": MOUNT_ATTR_NOEXEC,
}
# The defaults, and what Mnt has done already: private propagation.
NOTHING = frozenset(
    ("rw", "suid", "dev", "exec", "relatime", "async", "bind", "private", "rprivate", "defaults")
)


def mount_of(entry: MountSpec) -> Mount:
    """The mount that an entry of `mounts` describes; ConfigError names an unknown option."""
    mount = Mount(entry.destination, entry.fstype, entry.source, entry.pointer)
    data = []
    for option in entry.options:
        if option in ATTRIBUTES:
            mount.attributes |= ATTRIBUTES[option]
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
