"""The site builds strictly, asks nobody else for anything, and says what is in the code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import console
import figures
import pytest

from minirt import ids, limits, plan, resources
from minirt.linux import caps

if TYPE_CHECKING:
    from pathlib import Path

HEADINGS = (
    "Attack", "Predict", "Build", "Check", "Look", "Break it", "Compare and read on",
)  # fmt: skip
STEPS = [page for page in console.PAGES if page.stem.startswith("step")]
# Attributes by which a page makes a browser fetch something without a click.
FETCHED = {
    "link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src",
    "use": "href", "image": "href", "video": "src", "object": "data", "embed": "src",
}  # fmt: skip
LINKS_THAT_FETCH = {"stylesheet", "icon", "preload", "preconnect", "dns-prefetch", "manifest"}


class Fetches(HTMLParser):
    """Collects what a browser would fetch for a page."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "link" and not LINKS_THAT_FETCH & set((found.get("rel") or "").split()):
            return
        url = found.get(FETCHED.get(tag, ""))
        self.urls += [url] if url else []
        self.urls += re.findall(r"url\(([^)]+)\)", found.get("style") or "")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(where)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        command, cwd=console.ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return where


def test_no_page_fetches_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > len(STEPS)
    for page in pages:
        reader = Fetches()
        reader.feed(page.read_text(encoding="utf-8"))
        assert reader.urls, page
        outside = [url for url in reader.urls if "//" in url and not url.startswith("data:")]
        assert outside == [], page


def test_no_style_sheet_fetches_from_elsewhere(site: Path) -> None:
    for sheet in site.rglob("*.css"):
        urls = re.findall(r"(?:url\(|@import )[\"']?([^)\"';]+)", sheet.read_text(encoding="utf-8"))
        assert [url for url in urls if "//" in url and not url.startswith("data:")] == [], sheet


def test_code_is_embedded_and_not_pasted() -> None:
    """A fence of Python holds nothing but a snippet, and what it names exists (check_paths)."""
    for page in console.PAGES:
        text = page.read_text(encoding="utf-8")
        for fence in re.findall(
            r"^ *```+ *(?:python|c|sh|bash)\b.*?\n(.*?)^ *```", text, re.M | re.S
        ):
            assert re.fullmatch(r'( *--8<-- "[^"]+"\n)+', fence), f"{page.name}:\n{fence}"


@pytest.mark.parametrize("page", STEPS, ids=lambda page: page.stem)
def test_a_step_has_the_seven_headings(page: Path) -> None:
    found = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.M)
    assert tuple(found) == HEADINGS


def test_the_first_page_explains_each_bar_of_its_waterfall() -> None:
    text = (console.ROOT / "lessons/en/index.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `([^`]+)` \|", text, re.M)
    assert sorted(explained) == sorted(set(figures.spans("waterfall")) - {"minirt run"})
    assert set(figures.spans("waterfall-none")) <= {*explained, "minirt run"}


def test_the_recorded_waterfall_is_in_the_order_of_the_plan() -> None:
    spans = [name for name in figures.spans("waterfall") if "." in name]
    order = {name: rank for rank, name in enumerate(plan.ALL)}
    for phase in ("prepare", "attach", "enter", "seal"):
        names = [name.partition(".")[0] for name in spans if name.endswith(f".{phase}")]
        assert names == sorted(names, key=order.__getitem__), phase


def test_every_file_named_in_a_lesson_exists() -> None:
    named = re.compile(r"`((?:minirt|lessons|tests|docs)/[\w./-]+\.\w+)`")
    for page in console.PAGES:
        for path in named.findall(page.read_text(encoding="utf-8")):
            assert (console.ROOT / path).exists(), f"{page.name}: {path}"


def test_the_table_of_cgroup_files_is_what_the_code_writes() -> None:
    """Each option's row names the files of both versions, as minirt/limits has them."""
    text = (console.ROOT / "lessons/en/step5.md").read_text(encoding="utf-8")
    disk = [{"major": 8, "minor": 0, "rate": 8 << 20}]
    throttled = {"blockIO": {f"throttle{way}BpsDevice": disk for way in ("Read", "Write")}}
    rows = {
        "--cpus 0.5": ("cpu", resources.from_options(cpus="0.5")),
        "--memory 64m": ("memory", resources.from_options(memory="64m")),
        "--pids 20": ("pids", resources.from_options(pids="20")),
        "--io-bps 8m": ("io", throttled),
    }
    for option, (controller, wanted) in rows.items():
        cells = (files(limits.settings(wanted, controller, version)) for version in (1, 2))
        assert f"| `{option}` | {' | '.join(cells)} |" in text


def files(settings: list[tuple[str, str]]) -> str:
    """The names of the files, each once, as the table has them."""
    return ", ".join(dict.fromkeys(f"`{file}`" for file, _ in settings))


def test_the_numbers_in_prose_are_those_of_the_code() -> None:
    def said(page: str, words: str) -> bool:
        text = (console.ROOT / "lessons" / "en" / page).read_text(encoding="utf-8")
        return words in " ".join(text.split())

    assert said("step5.md", f"must be at least {resources.LEAST_MEMORY >> 20} MiB")
    assert said("step6.md", f"has {len(caps.DEFAULT)} of {len(caps.NAMES)} capabilities")
    assert said("step6.md", f"user {ids.FIRST} outside")
