"""What a call tells of the process that it has made: its pid, and what it goes without."""

from __future__ import annotations

from minirt.errors import ConfigError
from minirt.linux import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.engine.container import Container
    from minirt.oci.call import Call


def warn_of_unknown(call: Call, container: Container) -> None:
    """Capabilities that no kernel has are left out: the specification wants a warning."""
    warn = call.log.warn
    for name in container.spec.process.unknown_capabilities:
        warn(f'ignoring unknown capability "{name}"')


def write_pid(path: str, pid: int) -> None:
    """What engines read with atoi, and wait for."""
    if path:
        try:
            files.replace(path, str(pid).encode(), mode=0o644)
        except OSError as error:
            what = f"cannot write {path}: {(error.strerror or '').lower()}"
            raise ConfigError(what, pointer="--pid-file") from None
