"""The documents that minirt-oci writes of itself: `spec`, `features`."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from minirt import plan
from minirt.mount_options import OPTIONS, mount_of
from minirt.oci import reference
from minirt.oci.program import perform
from minirt.oci.template import configuration
from minirt.reader import Reader
from minirt.spec import MountSpec, Spec

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIGS = Path(__file__).parent.parent / "data" / "configs"
# What says who wrote it.
OWN = ("ociVersion", "hostname")


def captured(name: str) -> dict[str, Any]:
    """A document that runc wrote, as root; but for what no program would get, only warnings.

    Capabilities that are not inheritable cannot be ambient (capabilities(7)).
    """
    document: dict[str, Any] = json.loads((CONFIGS / name).read_text())
    del document["process"]["capabilities"]["ambient"]
    return document


def same(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
    assert {k: v for k, v in ours.items() if k not in OWN} == {
        k: v for k, v in theirs.items() if k not in OWN
    }
    assert list(ours) == list(theirs)


def test_spec_writes_what_runc_writes() -> None:
    same(configuration("1.2.0", rootless=False), captured("runc-spec.json"))


def test_spec_for_an_ordinary_user_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "getegid", lambda: 0)
    same(configuration("1.2.0", rootless=True), captured("runc-spec-rootless.json"))


def test_the_file_is_new_or_it_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert perform(["spec", "--bundle", str(tmp_path)]) == 0
    written = json.loads((tmp_path / "config.json").read_text())
    assert Spec(written).process.args == ("sh",)
    assert plan.build(Spec(written))
    assert perform(["spec", "--bundle", str(tmp_path)]) == 1
    assert "exists" in capsys.readouterr().err


def features(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert perform(["features"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_features_have_what_engines_ask_for(capsys: pytest.CaptureFixture[str]) -> None:
    found = features(capsys)
    assert (found["ociVersionMin"], found["ociVersionMax"]) == ("1.0.0", "1.3.0")
    linux = found["linux"]
    assert {"pid", "network", "mount", "user"} <= set(linux["namespaces"])
    assert linux["cgroup"]["v1"] is linux["cgroup"]["v2"] is linux["cgroup"]["systemd"] is True
    assert "rro" in found["mountOptions"]
    assert "SCMP_ACT_ERRNO" in linux["seccomp"]["actions"]
    assert "CAP_SYS_ADMIN" in linux["capabilities"]
    assert linux["mountExtensions"]["idmap"]["enabled"] is True
    given = {kind: [{"path": "/bin/true"}] for kind in found["hooks"]}
    assert set(Spec({"process": {"args": ["x"]}, "hooks": given}).hooks) == set(given)


@pytest.mark.parametrize("option", OPTIONS)
def test_every_mount_option_that_is_promised_is_taken(option: str) -> None:
    """A bind mount takes no options but those that are known."""
    entry = {"destination": "/x", "source": "/x", "options": ["bind", option]}
    assert mount_of(MountSpec(Reader(entry))).data == ()


def test_the_reference_is_what_the_program_reads() -> None:
    page = Path(__file__).parent.parent.parent / "docs/oci-reference.md"
    assert page.read_text() == "".join(f"{line}\n" for line in reference.lines())


def test_the_errors_that_the_guide_explains_are_ours() -> None:
    root = Path(__file__).parent.parent.parent
    code = "".join(path.read_text() for path in (root / "minirt").rglob("*.py"))
    table = (root / "docs/oci.md").read_text().split("## When something is wrong")[1]
    quoted = re.findall(r"^\| `([^`]+)` \|", table, re.M)
    assert len(quoted) >= 3
    for text in quoted:
        assert text in code
