"""restore: refused, for minirt has no support for CRIU yet."""

from __future__ import annotations

from minirt.errors import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.oci.call import Call
    from minirt.oci.parser import Option

ARGUMENTS = "ID"
OPTIONS: tuple[Option, ...] = ()


def run(call: Call) -> int:
    what = f"cannot restore container {call.id}: minirt has no support for CRIU yet"
    raise HostError(what, hint="use another runtime for this container")
