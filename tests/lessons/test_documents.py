"""README, architecture and decisions say what is in the code."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import console
import pytest

from minirt import errors, plan
from minirt.mechanism import PHASES
from minirt.tour.demos import demos

if TYPE_CHECKING:
    from pathlib import Path

ROOT = console.ROOT
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "vm/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]


def text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def section(path: str, heading: str) -> str:
    """The text below a heading, up to the next of its level."""
    return re.split(rf"^## {heading}$", text(path), flags=re.M)[1].split("\n## ")[0]


def test_the_order_is_the_plans() -> None:
    listed = re.search(r"((?:^    \w.*\n)+)", section("docs/architecture.md", "The order"), re.M)
    assert tuple(listed[1].split()) == plan.ALL


def test_the_phases_are_the_mechanisms() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", section("docs/architecture.md", "Phases"), re.M)
    assert tuple(listed) == PHASES


def test_the_layers_are_those_that_are_checked() -> None:
    contracts = tomllib.loads(text("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    checked = [name for row in contracts[0]["layers"] for name in re.findall(r"\w+", row)]
    listed = section("docs/architecture.md", "Layers").replace("`step7` … `step1`", "`step*`")
    named = re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| \d.*$", listed, re.M)))
    assert named == [name for name in checked if not re.fullmatch(r"step\d", name)]


def test_the_errors_are_all_there_are() -> None:
    listed = re.findall(r"─ (\w+)", section("docs/architecture.md", "Errors"))
    assert listed == [cls.__name__ for cls in errors.MinirtError.__subclasses__()]


def test_every_decision_is_in_the_index() -> None:
    pages = {page.name for page in (ROOT / "docs/adr").glob("0*.md")}
    assert pages == set(re.findall(r"\]\((0[\w-]+\.md)\)", text("docs/adr/README.md")))


def test_every_decision_fits_on_a_page() -> None:
    for page in (ROOT / "docs/adr").glob("0*.md"):
        assert len(page.read_text(encoding="utf-8").splitlines()) <= 65, page.name


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.name)
def test_every_link_and_path_leads_somewhere(page: Path) -> None:
    body = page.read_text(encoding="utf-8")
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", body)]
    for link in links:
        if link and "://" not in link:
            assert (page.parent / link).exists(), link
    for path in re.findall(r"`((?:minirt|lessons|tests|docs|\.ci)/[\w./-]*)`", body):
        assert (ROOT / path).exists(), path


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([\w-]+):.*##", text("Makefile"), re.M))
    for page in [*DOCUMENTS, *console.PAGES]:
        for target in re.findall(r"`make ([\w-]+)", page.read_text(encoding="utf-8")):
            assert target in targets, f"{page.name}: make {target}"


def test_the_readme_shows_the_tour_as_it_is() -> None:
    shown = re.findall(r"^step (\d): (.+)\n  shown: (.+)$", text("README.md"), re.M)
    assert shown == [(str(demo.step), demo.title, demo.shows) for demo in demos(1)]
