"""The runtime is killed at every moment of step 6; the next run removes whatever was left."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from moments import AT_THE_END, HOST, INIT, OPTIONS, SAVES, TEARDOWN, UNTIL_IT_RUNS, Host, host
from steps import state_root

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["host"]  # a fixture
SIGKILL = 9


@pytest.mark.parametrize("moment", UNTIL_IT_RUNS)
def test_killed_on_the_way_to_its_program(host: Host, moment: str) -> None:
    done = host.interrupt(moment, SIGKILL, "sleep", "60")
    assert done.returncode == -SIGKILL
    host.next_run()
    assert host.left() == []


@pytest.mark.parametrize("moment", AT_THE_END)
def test_killed_while_it_tidied_up(host: Host, moment: str) -> None:
    done = host.interrupt(moment, SIGKILL, "true")
    assert done.returncode == -SIGKILL
    host.next_run()
    assert host.left() == []


@pytest.mark.parametrize(
    "moment", ["end:user.attach", "end:overlay.attach", "end:user.enter", "end:overlay.enter"]
)
def test_killed_on_the_way_to_a_user_namespace(host: Host, moment: str) -> None:
    options = (*OPTIONS, "--userns")
    done = host.interrupt(moment, SIGKILL, "sleep", "60", options=options)
    assert done.returncode == -SIGKILL
    host.next_run()
    assert host.left() == []


def test_these_are_all_the_moments_there_are(host: Host, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    options = (*OPTIONS, "--trace", str(trace))
    assert host.interrupt("none", SIGKILL, "true", options=options).returncode == 0
    (line,) = trace.read_text().splitlines()
    spans = json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    names = {span["name"] for span in spans} - {"nft", "container", "minirt run"}
    assert names == {*HOST, *INIT, *TEARDOWN}
    assert host.interrupt(f"save:{SAVES + 1}", SIGKILL, "true").returncode == 0


def test_killed_while_its_program_runs_takes_the_program_along(host: Host) -> None:
    """Nobody attends to it any more (PR_SET_PDEATHSIG); what it had on the host goes later."""
    with host.running(script="echo ready; sleep 60") as container:
        container.process.kill()
        assert container.rest() == ""  # its end: nobody holds the other one any more
        container.process.wait()
    host.next_run()
    assert host.left() == []


def test_a_container_that_still_runs_is_not_touched(host: Host) -> None:
    with host.running(script="echo ready; read line; exit 5") as container:
        host.next_run()
        assert len(os.listdir(state_root() / "containers")) == 1
        assert container.end() == 5
