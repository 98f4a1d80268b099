"""The lessons in a browser: nothing is fetched from elsewhere, no script fails, pictures are drawn.

Needs Chromium. Its own record of network activity (--log-net-log) says who asked for what.
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(path.stem for path in (ROOT / "lessons" / "en").glob("*.md"))
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions",
    "--virtual-time-budget=4000", "--enable-logging=stderr", "--dump-dom",
)  # fmt: skip


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(where)],
        cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, check=True,
    )  # fmt: skip
    return where


@pytest.fixture(scope="session")
def origin(site: Path) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A file server that does not write to the terminal."""

    def log_message(self, *_: object) -> None: ...


class Visit:
    """What a browser saw of one page: the document at the end, its complaints, its requests."""

    def __init__(self, url: str, scratch: Path) -> None:
        program = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
        assert program, "these tests need a browser: apt-get install chromium"
        log = scratch / "net.json"
        done = subprocess.run(
            [program, *FLAGS, f"--user-data-dir={scratch}", f"--log-net-log={log}", url],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        self.document = done.stdout
        self.complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        self.requests = list(_requests(json.loads(log.read_text())))


def _requests(log: dict) -> Iterator[str]:
    """The URLs that a page, not the browser for itself, asked for."""
    start = log["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
    for event in log["events"]:
        params = event.get("params", {})
        if event["type"] == start and params.get("initiator", "not an origin") != "not an origin":
            yield params["url"]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_served_by_its_own_site_alone(page: str, origin: str, tmp_path: Path) -> None:
    visit = Visit(f"{origin}/{page}.html", tmp_path)
    assert len(visit.requests) > 3, "the record of requests is not what it was taken for"
    assert [url for url in visit.requests if not url.startswith((origin, "data:"))] == []
    assert visit.complaints == []
    assert "<h1" in visit.document


def test_the_search_works_on_files(site: Path, tmp_path: Path) -> None:
    visit = Visit(f"file://{site}/index.html?q=pivot_root", tmp_path)
    assert 'href="step3.html' in visit.document
    assert "matching document" in visit.document
