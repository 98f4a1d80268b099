"""A configuration becomes mechanisms, in the one order that works; off is absent."""

from __future__ import annotations

import importlib
import itertools
import pkgutil
from typing import TYPE_CHECKING

import pytest

from minirt import builders, mechanisms, plan
from minirt.errors import ConfigError
from minirt.mechanism import CHILD_PHASES, PHASES, Mechanism
from minirt.spec import Spec
from minirt.spec.namespaces import NAMESPACES

if TYPE_CHECKING:
    from minirt.codec import Json

STEPS = [importlib.import_module(f"minirt.step{number}").STEP for number in range(1, 7)]
EVERYTHING: dict[str, Json] = {
    "process": {
        "args": ["true"],
        "terminal": True,
        "noNewPrivileges": True,
        "capabilities": {"bounding": ["CAP_CHOWN"]},
        "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1, "hard": 2}],
        "cwd": "/srv",
        "oomScoreAdj": 100,
        "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 5},
        "apparmorProfile": "web",
    },
    "hostname": "web1",
    "domainname": "example",
    "mounts": [
        {"destination": "/proc", "type": "proc"},
        {"destination": "/dev", "type": "tmpfs", "options": ["ro"]},
        {"destination": "/data", "type": "bind", "source": "/", "options": ["rbind", "rshared"]},
    ],
    "hooks": {kind: [{"path": "/bin/true"}] for kind in ("prestart", "poststop")},
    "linux": {
        "namespaces": [{"type": kind} for kind in NAMESPACES],
        "uidMappings": [{"containerID": 0, "hostID": 100_000, "size": 65_536}],
        "gidMappings": [{"containerID": 0, "hostID": 100_000, "size": 65_536}],
        "cgroupsPath": "/minirt/web1",
        "maskedPaths": ["/proc/kcore"],
        "rootfsPropagation": "shared",
        "sysctl": {"net.core.somaxconn": "100"},
        "personality": {"domain": "LINUX32"},
        "netDevices": {"eth9": {}},
        "memoryPolicy": {"mode": "MPOL_LOCAL"},
    },
    "minirt": {
        "layers": ["/"],
        "network": {"mode": "bridge", "publish": ["8080:80"]},
        "seccomp": "default",
        "scope": {"slice": "a.slice", "unit": "b.scope", "path": "/a.slice/b.scope"},
    },
}


ALTERNATIVES = ("rootfs", "terminal", "seccomp_notify")  # to overlay, pty and seccomp


def built(*allowed: str) -> tuple[Mechanism, ...]:
    return plan.build(Spec(EVERYTHING), allowed or plan.ALL)


def test_everything_is_everything() -> None:
    names = tuple(mechanism.name for mechanism in built())
    assert names == tuple(name for name in plan.ALL if name not in ALTERNATIVES)


def test_a_root_of_the_bundles_stands_where_layers_would() -> None:
    document = {**EVERYTHING, "root": {"path": "/bundle/rootfs"}}
    document["minirt"] = {**document["minirt"], "layers": []}
    names = [m.name for m in plan.build(Spec(document))]
    assert "rootfs" in names
    assert "overlay" not in names


def test_what_is_not_asked_for_is_absent() -> None:
    names = [m.name for m in plan.build(Spec({"process": {"args": ["true"]}}))]
    assert names == ["stdio", "bounding_set", "identity", "capabilities"]


def test_the_order_is_the_plans_and_not_the_askers() -> None:
    assert [m.name for m in built(*reversed(plan.ALL))] == [m.name for m in built()]


ORDERED = (
    ("user", "cgroup", "cgroup_ns"),  # rights first; a cgroup before its namespace
    ("sources", "mnt", "overlay", "mounts", "devices", "pivot", "masked_paths"),
    ("devices", "pivot", "readonly_mounts"),
    ("pivot", "pty", "console", "propagation", "bounding_set"),
    ("bridge", "veth", "nat", "names"),
    ("pivot", "terminal", "bounding_set", "identity", "capabilities", "seccomp"),
    ("capabilities", "no_new_privs", "seccomp"),
    ("poststop", "user"),  # torn down when all else is
    ("make_cwd", "pivot"),  # which may make the root read-only
    ("pivot", "working_directory", "identity"),
)


@pytest.mark.parametrize("names", ORDERED, ids=" ".join)
def test_the_order_is_the_kernels(names: tuple[str, ...]) -> None:
    places = [plan.ALL.index(name) for name in names]
    assert places == sorted(places)
    assert plan.ALL[-1] == "seccomp"


def test_each_step_adds_to_the_former_and_never_the_same_twice() -> None:
    for former, latter in itertools.pairwise(STEPS):
        assert latter.mechanisms[: len(former.mechanisms)] == former.mechanisms
    last = STEPS[-1].mechanisms
    assert len(set(last)) == len(last)
    assert set(last) <= set(plan.ALL)


def test_each_steps_plan_is_contained_in_the_next() -> None:
    plans = [[m.name for m in built(*step.mechanisms)] for step in STEPS]
    for smaller, larger in itertools.pairwise([*plans, list(plan.ALL)]):
        assert [name for name in larger if name in smaller] == smaller


def test_namespaces_are_those_of_the_plans_mechanisms() -> None:
    spec = Spec(EVERYTHING)
    assert plan.namespaces(built("uts", "pid", "overlay"), spec) == {"uts": "", "pid": ""}
    joined = Spec({**EVERYTHING, "linux": {"namespaces": [{"type": "uts", "path": "/x"}]}})
    assert plan.namespaces(plan.build(joined, ["uts", "pid"]), joined) == {"uts": "/x"}


def test_every_mechanism_says_what_it_does_in_one_line() -> None:
    for mechanism in built():
        line = mechanism.describe()
        assert line
        assert "\n" not in line
        assert len(line) <= 200


def classes() -> list[type[Mechanism]]:
    """Every mechanism there is."""
    for module in pkgutil.iter_modules(mechanisms.__path__, "minirt.mechanisms."):
        importlib.import_module(module.name)
    return Mechanism.__subclasses__()


def test_a_mechanism_inherits_from_the_empty_one_and_from_nothing_else() -> None:
    assert len(classes()) > 25
    for cls in classes():
        assert cls.__bases__ == (Mechanism,)
        assert cls.__subclasses__() == []


def test_a_mechanism_overrides_phases_that_there_are() -> None:
    """A misspelt phase would never run."""
    for cls in classes():
        assert set(vars(cls)) & set(PHASES) or cls.namespace, cls
        for name in set(vars(cls)) - set(vars(Mechanism)):
            assert not (set(PHASES) & {name.rstrip("s"), f"{name}s", f"{name}ed"}), (cls, name)


def test_the_filter_is_the_last_thing_before_execve() -> None:
    """Whatever came after it would need to be allowed by every profile."""
    assert built()[-1].name == "seccomp"
    assert type(built()[-1]).start is not Mechanism.start
    assert CHILD_PHASES[-1] == "start"


def files(**members: Json) -> dict[str, type[Mechanism]]:
    """The classes of the plan for a configuration with a root and these members, by name."""
    document: dict[str, Json] = {"process": {"args": ["true"]}, "root": {"path": "/bundle/rootfs"}}
    document["linux"] = {"namespaces": [{"type": "mount"}]}
    return {m.name: type(m) for m in plan.build(Spec({**document, **members}))}


def test_nodes_are_made_where_they_can_be_opened_and_else_bound() -> None:
    def on_dev(*options: str) -> str:
        dev: Json = {"destination": "/dev/", "type": "tmpfs", "options": list(options)}
        return files(mounts=[dev])["devices"].__name__

    assert on_dev("nosuid") == "DeviceNodes"
    assert on_dev("nosuid", "nodev") == "Devices"


def test_a_dev_of_the_hosts_is_left_alone() -> None:
    dev: Json = {"destination": "/dev", "type": "bind", "source": "/dev", "options": ["rbind"]}
    assert "devices" not in files(mounts=[dev])


def test_without_a_mount_namespace_the_hosts_root_is_never_pivoted() -> None:
    made = files(linux={})
    assert made["pivot"].__name__ == "Chroot"
    assert made["rootfs"].__name__ == "HostRootfs"


def test_a_propagation_that_there_is_not_is_refused() -> None:
    with pytest.raises(ConfigError, match="/linux/rootfsPropagation"):
        files(linux={"rootfsPropagation": "loud"})


def test_every_builder_has_its_place_in_the_order() -> None:
    """The order names them by module alone: what is missing there is built by nobody."""
    found = {}
    for module in pkgutil.iter_modules(builders.__path__):
        functions = vars(importlib.import_module(f"minirt.builders.{module.name}"))
        for name, function in functions.items():
            if not name.startswith("_") and getattr(function, "__module__", "").endswith(
                module.name
            ):
                found[name] = module.name
    assert found == plan.ORDER
