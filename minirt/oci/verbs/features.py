"""features: what this runtime can do, as JSON."""

from __future__ import annotations

from minirt.codec import dumps
from minirt.errors import ConfigError
from minirt.oci.abilities import document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.oci.call import Call
    from minirt.oci.parser import Option

ARGUMENTS = ""
OPTIONS: tuple[Option, ...] = ()


def run(call: Call) -> int:
    if call.words.arguments:
        raise ConfigError("takes no arguments", pointer="features")
    print(dumps(document()))
    return 0
