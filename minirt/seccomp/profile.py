"""The default seccomp profile: which system calls a container's processes may make.

minirt/data/seccomp.json allows what docker's documentation says its default allows, in docker's
own format: groups of calls, some only with a capability or on an architecture. The result is
`linux.seccomp` of the OCI runtime specification, where nothing is conditional any more.
"""

from __future__ import annotations

import os

from minirt.codec import loads
from minirt.reader import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from minirt.codec import Json

PATH = os.path.join(os.path.dirname(__file__), "..", "data", "seccomp.json")
# Docker's words for `uname -m`, which its profiles use.
ARCHES = {"x86_64": "amd64", "aarch64": "arm64"}
MEMBERS = ("names", "action", "errnoRet", "args")
NATIVE = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}


def text() -> str:
    """The profile's source."""
    with open(PATH, encoding="utf-8") as source:
        return source.read()


def default(kept: Sequence[str], machine: str = os.uname().machine) -> dict[str, Json]:
    """The default profile for a container with these capabilities, as `linux.seccomp`."""
    return resolve(text(), kept, machine)


def resolve(source: str, kept: Sequence[str], machine: str) -> dict[str, Json]:
    """A profile in docker's format, for the capabilities `kept` and the `machine`."""
    value = loads(source)
    reader = Reader(value if isinstance(value, dict) else {}, "--seccomp")
    return {
        "defaultAction": reader.text("defaultAction"),
        "defaultErrnoRet": reader.number("defaultErrnoRet", 1),
        "architectures": list(_architectures(reader, machine)),
        "syscalls": [
            {key: value for key, value in group.value.items() if key in MEMBERS}
            for group in reader.objects("syscalls")
            if _applies(group, kept, machine)
        ],
    }


def _applies(group: Reader, kept: Sequence[str], machine: str) -> bool:
    """All of `includes` must hold, and none of `excludes`."""
    arch = ARCHES.get(machine, machine)
    needed, barred = group.object("includes"), group.object("excludes")
    arches = needed.texts("arches")
    if arches and arch not in arches:
        return False
    if any(cap not in kept for cap in needed.texts("caps")):
        return False
    return arch not in barred.texts("arches") and not set(barred.texts("caps")) & set(kept)


def _architectures(reader: Reader, machine: str) -> Iterator[str]:
    """The machine's own architecture and those whose programs it runs as well."""
    for entry in reader.objects("archMap"):
        if entry.text("architecture") == NATIVE.get(machine):
            yield entry.text("architecture")
            yield from entry.texts("subArchitectures")
