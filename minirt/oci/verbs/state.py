"""state: what the specification calls the state of a container, as JSON."""

from __future__ import annotations

import os
import time

from minirt.codec import dumps
from minirt.state import STOPPED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.codec import Json
    from minirt.oci.call import Call
    from minirt.oci.parser import Option
    from minirt.state import State

ARGUMENTS = "ID"
OPTIONS: tuple[Option, ...] = ()


def run(call: Call) -> int:
    print(dumps(document(call.loaded(lock=False))))
    return 0


def document(state: State) -> dict[str, Json]:
    """The state of a loaded container (runtime.md, "State"), with what runc adds."""
    status = state.current()
    root = state.spec.get("root")
    return {
        "ociVersion": str(state.spec.get("ociVersion", "")),
        "id": state.id,
        "pid": 0 if status == STOPPED else state.pid,
        "status": status,
        "bundle": state.bundle,
        "rootfs": root.get("path") if isinstance(root, dict) else "",
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(state.wall_time)),
        "annotations": state.spec.get("annotations") or {},
        "owner": _owner(state),
    }


def _owner(state: State) -> str:
    """The user that made it."""
    import pwd

    try:
        number = os.stat(state.directory).st_uid
    except OSError:  # it is deleted at this moment
        return ""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
