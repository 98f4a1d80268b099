"""What belongs to single namespaces: wrong values are refused with their pointer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from minirt.errors import ConfigError
from minirt.spec import Spec

if TYPE_CHECKING:
    from minirt.codec import Json

MAP: Json = [{"containerID": 0, "hostID": 1000, "size": 1}]


def linux(*kinds: str, **members: Json) -> Spec:
    namespaces: Json = [{"type": kind} for kind in kinds]
    return Spec({"process": {"args": ["true"]}, "linux": {"namespaces": namespaces, **members}})


def entry(of: str, /, **members: Json) -> Json:
    return {of: {**members}}


@pytest.mark.parametrize(
    ("kinds", "members", "pointer"),
    [
        (("pid", "pid"), {}, "/linux/namespaces/1/type"),
        (("user",), {"uidMappings": MAP}, "/linux/gidMappings"),
        (("pid",), {"uidMappings": MAP, "gidMappings": MAP}, "/linux/uidMappings"),
        (
            ("user",),
            {"uidMappings": [{"size": 0}], "gidMappings": MAP},
            "/linux/uidMappings/0/size",
        ),
        (
            ("user",),
            {"uidMappings": [{"size": 2, "hostID": 0xFFFFFFFF}], "gidMappings": MAP},
            "/linux/uidMappings/0/hostID",
        ),
        (("time",), {"timeOffsets": entry("realtime")}, "/linux/timeOffsets/realtime"),
        (
            ("time",),
            {"timeOffsets": entry("boottime", nanosecs=1_000_000_000)},
            "/linux/timeOffsets/boottime/nanosecs",
        ),
        ((), {"timeOffsets": entry("boottime", secs=1)}, "/linux/timeOffsets"),
        ((), {"netDevices": entry("eth9")}, "/linux/netDevices/eth9"),
        (("network",), {"netDevices": entry("a/b")}, "/linux/netDevices/a~1b"),
        (("network",), {"netDevices": entry("eth9", name="x" * 16)}, "/linux/netDevices/eth9/name"),
        (
            ("network",),
            {"netDevices": {"a0": {"name": "e0"}, "b0": {"name": "e0"}}},
            "/linux/netDevices/b0/name",
        ),
        ((), {"memoryPolicy": {"mode": "MPOL_NONE"}}, "/linux/memoryPolicy/mode"),
        ((), {"memoryPolicy": {"mode": "MPOL_BIND"}}, "/linux/memoryPolicy/nodes"),
        ((), {"memoryPolicy": {"mode": "MPOL_LOCAL", "nodes": "0"}}, "/linux/memoryPolicy/nodes"),
        ((), {"memoryPolicy": {"mode": "MPOL_BIND", "nodes": "x"}}, "/linux/memoryPolicy/nodes"),
        (
            (),
            {"memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_X"]}},
            "/linux/memoryPolicy/flags/0",
        ),
        ((), {"intelRdt": {}}, "/linux/intelRdt"),
    ],
)
def test_what_is_wrong_is_pointed_at(
    kinds: tuple[str, ...], members: dict[str, Json], pointer: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        linux(*kinds, **members)
    assert caught.value.pointer == pointer


def test_a_device_keeps_its_name_without_another() -> None:
    devices: Json = {"eth9": {}, "eth8": {"name": "a"}}
    assert linux("network", netDevices=devices).net_devices == {"eth9": "eth9", "eth8": "a"}
