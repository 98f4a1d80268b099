"""What a call tells of the process that it has made: its pid, and what it goes without."""

from __future__ import annotations

from minirt.errors import ConfigError
from minirt.linux import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.engine.container import Container
    from minirt.oci.call import Call


def tell_of_capabilities(call: Call, container: Container) -> None:
    """Those that no kernel has are left out: the specification wants a warning.

    Of those that cannot be ambient runc says nothing.
    """
    warn = call.log.warn
    for name in container.spec.process.unknown_capabilities:
        warn(f'ignoring unknown capability "{name}"')
    if call.log.debugging:
        sets = container.spec.process.capabilities
        lost = set(sets["ambient"]) - set(sets["permitted"]).intersection(sets["inheritable"])
        if lost:
            text = f"not both permitted and inheritable, so not ambient: {', '.join(sorted(lost))}"
            call.log.debug(text)


def write_pid(path: str, pid: int) -> None:
    """What engines read with atoi, and wait for."""
    if path:
        try:
            files.replace(path, str(pid).encode(), mode=0o644)
        except OSError as error:
            what = f"cannot write {path}: {(error.strerror or '').lower()}"
            raise ConfigError(what, pointer="--pid-file") from None
