"""config.json is read whole, and what is wrong in it is named by its pointer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from minirt.errors import ConfigError
from minirt.spec import Spec
from minirt.spec.namespaces import NAMESPACES

if TYPE_CHECKING:
    from minirt.codec import Json

SMALLEST: dict[str, Json] = {"process": {"args": ["true"]}}


def spec(**members: Json) -> Spec:
    return Spec({**SMALLEST, **members})


def pointer(**members: Json) -> str:
    with pytest.raises(ConfigError) as caught:
        spec(**members)
    return caught.value.pointer


def process(**members: Json) -> str:
    return pointer(process={"args": ["true"], **members})


def test_the_smallest_configuration_is_a_program() -> None:
    made = spec()
    assert made.process.args == ("true",)
    assert (made.process.uid, made.process.gid, made.process.groups) == (0, 0, ())
    assert made.process.cwd == "/"
    assert made.process.umask == 0o022
    assert not any(made.process.capabilities.values())
    assert made.namespaces == {}
    assert made.layers == made.mounts == made.masked_paths == ()


@pytest.mark.parametrize("args", [None, [], [""]])
def test_a_program_must_be_named(args: Json) -> None:
    assert process(args=args) == "/process/args"


def test_the_process_is_read_whole() -> None:
    made = spec(
        process={
            "args": ["sh", "-c", ""],
            "env": ["A=1", "B=x=y", "C="],
            "cwd": "/tmp",
            "terminal": True,
            "noNewPrivileges": True,
            "user": {"uid": 1, "gid": 2, "additionalGids": [3, 4], "umask": 0o77},
            "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1, "hard": 2}],
            "capabilities": {"bounding": ["CAP_CHOWN"]},
        }
    ).process
    assert made.env == ("A=1", "B=x=y", "C=")
    assert (made.uid, made.gid, made.groups, made.umask) == (1, 2, (3, 4), 0o77)
    assert made.rlimits == (("RLIMIT_NOFILE", 1, 2),)
    assert made.capabilities["bounding"] == ("CAP_CHOWN",)
    assert made.capabilities["ambient"] == ()
    assert made.terminal
    assert made.no_new_privs


@pytest.mark.parametrize("variable", ["NOVALUE", "=x", ""])
def test_a_variable_has_a_name_and_a_value(variable: str) -> None:
    assert process(env=["A=1", variable]) == "/process/env/1"


def test_paths_inside_are_absolute() -> None:
    assert process(cwd="tmp") == "/process/cwd"
    assert pointer(mounts=[{"destination": "/x"}, {"destination": "/"}]) == "/mounts/1/destination"
    hooks = {"prestart": [{"path": "hook"}]}
    assert pointer(hooks=hooks) == "/hooks/prestart/0/path"
    joined = {"namespaces": [{"type": "pid"}, {"type": "network", "path": "net"}]}
    assert pointer(linux=joined) == "/linux/namespaces/1/path"


def test_namespaces_are_made_or_joined() -> None:
    listed: list[Json] = [{"type": kind} for kind in NAMESPACES]
    maps: Json = [{"containerID": 0, "hostID": 1, "size": 1}]
    listed = [*listed[1:], {"type": "pid", "path": "/proc/1/ns/pid"}]
    made = spec(linux={"namespaces": listed, "uidMappings": maps, "gidMappings": maps})
    assert made.namespaces["pid"] == "/proc/1/ns/pid"
    assert made.namespaces["net"] == made.namespaces["mnt"] == ""
    assert set(made.namespaces) == set(NAMESPACES.values())


def test_an_unknown_namespace_is_named() -> None:
    assert pointer(linux={"namespaces": [{"type": "net"}]}) == "/linux/namespaces/0/type"


def test_a_host_name_fits_the_kernels_64_bytes() -> None:
    own: dict[str, Json] = {"namespaces": [{"type": "uts"}]}
    assert spec(hostname="a" * 64, linux=own).hostname == "a" * 64
    assert pointer(hostname="a" * 65) == "/hostname"
    assert pointer(hostname="ü" * 33) == "/hostname"


def test_a_mount_takes_its_type_for_its_source_and_bind_from_its_options() -> None:
    mounts: list[Json] = [
        {"destination": "/proc", "type": "proc"},
        {"destination": "/data", "type": "none", "source": "/srv", "options": ["rbind", "ro"]},
    ]
    first, second = spec(mounts=mounts).mounts
    assert (first.fstype, first.source) == ("proc", "proc")
    assert (second.fstype, second.source) == ("bind", "/srv")


def test_id_maps_have_a_size() -> None:
    good = {"containerID": 0, "hostID": 100_000, "size": 65_536}
    maps: dict[str, Json] = {"uidMappings": [good], "gidMappings": [good]}
    maps["namespaces"] = [{"type": "user"}]
    made = spec(linux=maps)
    assert made.uid_maps == made.gid_maps == ((0, 100_000, 65_536),)
    wrong: dict[str, Json] = {**maps, "uidMappings": [{**good, "size": 0}]}
    assert pointer(linux=wrong) == "/linux/uidMappings/0/size"


def test_what_is_minirts_own_is_in_its_own_member() -> None:
    made = spec(
        minirt={
            "layers": ["/low", "/high"],
            "network": {"mode": "bridge", "publish": ["80:80"]},
            "seccomp": "default",
            "requiredCapabilities": ["CAP_CHOWN"],
        }
    )
    assert made.layers == ("/low", "/high")
    assert (made.network.mode, made.network.publish) == ("bridge", ("80:80",))
    assert made.default_seccomp
    assert made.required_capabilities == ("CAP_CHOWN",)


@pytest.mark.parametrize("version", ["1.0.0", "1.0.2-dev", "1.3.0", "1.0.0-rc5+dev", None])
def test_every_1_of_the_specification_is_read(version: str | None) -> None:
    assert spec(ociVersion=version).process.args == ("true",)


@pytest.mark.parametrize("version", ["", "1", "1.0", "1..0", "2.0.0", "0.2.0", "latest", 1])
def test_what_is_no_version_1_is_refused(version: Json) -> None:
    assert pointer(ociVersion=version) == "/ociVersion"
