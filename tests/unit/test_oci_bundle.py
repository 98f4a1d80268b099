"""Bundles that are wrong before anybody asks what their configuration means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from minirt import plan
from minirt.errors import ConfigError
from minirt.oci import bundle
from minirt.spec import Spec

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("depth", [bundle.DEEPEST, 980, 986, 100_000])
def test_what_a_later_verb_could_not_read_is_refused(tmp_path: Path, depth: int) -> None:
    (tmp_path / "config.json").write_text('{"x":' + "[" * depth + "]" * depth + "}")
    with pytest.raises(ConfigError, match="nested too deeply"):
        bundle.read(str(tmp_path))


def test_many_lists_beside_each_other_are_not_deep(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(f'{{"x": [{"[]," * 2 * bundle.DEEPEST} []]}}')
    assert bundle.object_of(str(tmp_path / "config.json"), hint="")


@pytest.mark.parametrize("path", ["a\0b", "\ud800"])
def test_a_root_that_can_be_no_path_is_named(path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Spec(bundle.resolved("/", {"root": {"path": path}}))
    assert caught.value.pointer == "/root/path"


def test_a_wrong_port_of_a_configuration_is_named_in_it() -> None:
    network = {"mode": "bridge", "publish": ["8080:80", "rootfs"]}
    with pytest.raises(ConfigError) as caught:
        plan.build(Spec({"minirt": {"network": network}}))
    assert caught.value.pointer == "/minirt/network/publish/1"
