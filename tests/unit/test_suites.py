"""`make test` counts honestly: what did not run has failed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

RUN = [sys.executable, "tests/suites.py"]
ROOT = Path(__file__).parent.parent.parent


def test_a_suite_that_cannot_run_counts_as_failed() -> None:
    done = subprocess.run(
        [*RUN, "no-such-suite"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "0 passed, 1 failed, 0 skipped"
