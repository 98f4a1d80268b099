"""`make run` on different machines: what is shown, what is not possible, and the exit status."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ordinary import Ordinary

from minirt.images import build
from minirt.tour.__main__ import exit_status
from minirt.tour.show import FAILED, IMPOSSIBLE, SHOWN, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parent.parent.parent
TOUR = ("-m", "minirt.tour")


def outcomes(said: str) -> list[str]:
    """How each step ended, from the summary at the end."""
    return re.findall(r"^step \d  (.*)$", said, re.MULTILINE)


def test_root_is_shown_all_seven(tmp_path: Path) -> None:
    build.ensure()
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, *TOUR], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert outcomes(done.stdout) == ["shown"] * 7, done.stdout + done.stderr
    assert done.returncode == 0
    assert time.monotonic() - started < 60
    for step in range(1, 8):
        assert (tmp_path / "out" / f"step{step}.jsonl").stat().st_size > 0
    assert "seccomp.start" in done.stdout  # the waterfall of step 6


def test_an_ordinary_user_is_shown_what_needs_no_root(tmp_path: Path) -> None:
    done = Ordinary(tmp_path, 1234).run(*TOUR)
    said = outcomes(done.stdout)
    assert said[:6] == ["shown", "shown", "shown", IMPOSSIBLE, IMPOSSIBLE, "shown"], done.stdout
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"try: run it with sudo {tmp_path}/venv/bin/python -m minirt.step4 --" in done.stdout


@pytest.mark.parametrize("owned", ["out", "out/step3.jsonl"])
def test_a_directory_of_traces_that_is_anothers_is_said_before_any_step(
    tmp_path: Path, owned: str
) -> None:
    user = Ordinary(tmp_path, 1234)
    out = user.home / "out"
    out.mkdir()
    out.chmod(0o777 if "/" in owned else 0o755)
    (out / "step3.jsonl").touch(0o600)
    done = user.run(*TOUR)
    assert done.returncode == 1
    assert "step 1" not in done.stdout
    assert f"cannot write the traces to {owned}: Permission denied" in done.stderr


@pytest.mark.parametrize(
    ("ended", "status"),
    [
        ([SHOWN] * 7, 0),
        ([SHOWN] * 3 + [IMPOSSIBLE] * 4, 0),
        ([SHOWN, SHOWN, IMPOSSIBLE] + [SHOWN] * 4, 2),
        ([IMPOSSIBLE] * 7, 2),
        ([SHOWN] * 6 + [FAILED], 1),
        ([IMPOSSIBLE] * 6 + [FAILED], 1),
    ],
)
def test_the_exit_status_tells_failure_from_impossible(ended: Sequence[str], status: int) -> None:
    verdicts = [Verdict(step, outcome, "") for step, outcome in enumerate(ended, 1)]
    assert exit_status(verdicts) == status


def test_a_step_that_breaks_is_not_called_impossible(tmp_path: Path) -> None:
    """An image without a shell: the machine is fine, and the tour must say that it failed."""
    code = "from minirt.images import content; content.TOOLS = (); content._busybox = lambda: ''"
    home = tmp_path / "cache"
    home.mkdir()
    environment = {**os.environ, "XDG_CACHE_HOME": str(home)}
    subprocess.run(
        [sys.executable, "-c", f"{code}\nfrom minirt.images import build; build.ensure()"],
        cwd=ROOT, env=environment, check=True,
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, *TOUR], cwd=tmp_path, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert outcomes(done.stdout)[2] == FAILED
    assert done.returncode == 1
