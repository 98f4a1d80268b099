"""What `create`, `exec` and `update` do with a document before they make anything."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import mutated

from minirt import limits, plan, state
from minirt.codec import dumps, loads
from minirt.engine.exec import prepared
from minirt.errors import ConfigError
from minirt.limits.change import merged
from minirt.oci import bundle, cgroup, streams
from minirt.oci.trace_wishes import Wishes
from minirt.seccomp.compiler import compile_profile
from minirt.spans import Recorder
from minirt.spec import Spec
from minirt.untraced import Untraced

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

gc.enable()  # minirt.oci leaves it to the end of its short processes
VERSIONS = (1, 2)  # of cgroups


def taken(consider: Callable[[Any], None], document: Any) -> bool:
    """Whether `consider` accepts it; a refusal must say where it is wrong."""
    try:
        consider(document)
    except ConfigError as refusal:
        error = refusal
    else:
        return True
    assert error.what
    assert error.pointer.startswith("/"), error
    return False


def create(document: dict[str, Any]) -> None:
    """config.json, as engines write it."""
    wishes = Wishes(document.get("annotations"), lambda _: None)
    wishes.trace()
    wishes.join(Recorder("", ""))
    whole = bundle.resolved("/nowhere", document)
    placed = cgroup.placed(whole, "0123abcd", "fuzzed", cgroup.CGROUPFS)
    placed = streams.with_services(placed, "/nowhere")
    assert dumps(loads(dumps(placed))) == dumps(placed)  # as state.json keeps it
    spec = Spec(placed)
    mechanisms = plan.build(spec)
    plan.namespaces(mechanisms, spec)
    assert all(mechanism.describe() for mechanism in mechanisms)


def execute(process: dict[str, Any]) -> None:
    """The file that `exec --process` names."""
    running = state.State("/nowhere", "fuzzed")
    running.spec = mutated.EVERYTHING
    running.mechanisms = plan.ALL
    container = prepared(running, process, Untraced(), ())
    assert all(mechanism.describe() for mechanism in container.plan)


def update(resources: dict[str, Any]) -> None:
    """The file that `update --resources` names."""
    wanted = merged(mutated.EVERYTHING["linux"]["resources"], resources)
    for controller in limits.limited(resources):
        for version in VERSIONS:
            for file, _ in limits.settings(wanted, controller, version):
                assert limits.pointer(wanted, file).startswith(limits.POINTER)


def compile_filter(profile: dict[str, Any]) -> None:
    """linux.seccomp."""
    compile_profile(profile)


def every(document: dict[str, Any]) -> None:
    """The whole document, and its parts as `exec` and `update` may get them."""
    taken(create, document)
    process, linux = document.get("process"), document.get("linux")
    if isinstance(process, dict):
        taken(execute, process)
    if isinstance(linux, dict) and isinstance(linux.get("resources"), dict):
        taken(update, linux["resources"])
