"""Changed configurations, and changed files for exec and update, given to a runtime.

Never a traceback, never anything left: 100 configurations, or MINIRT_FUZZ times as many.
conftest.py looks for what is left.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from oci import Runtime, configuration

sys.path.append(str(Path(__file__).parent.parent / "fuzz"))
import mutated

if TYPE_CHECKING:
    from typing import Any

BASE = configuration(("true",))
BASE["linux"] |= {
    "resources": {"memory": {"limit": 1 << 26}, "cpu": {"cpus": "0"}, "pids": {"limit": 9}},
    "devices": [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 438}],
    "maskedPaths": ["/proc/kcore"], "readonlyPaths": ["/proc/sys"],
    "seccomp": {"defaultAction": "SCMP_ACT_ALLOW",
                "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]},
    "sysctl": {"net.core.somaxconn": "256"},
}  # fmt: skip
BASE["process"] |= {
    "capabilities": {"bounding": ["CAP_CHOWN"]}, "user": {"uid": 0, "gid": 0, "umask": 63},
    "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 512, "hard": 1024}], "oomScoreAdj": 10,
}  # fmt: skip
SCHEDULED = {
    name: mutated.EVERYTHING["process"][name]
    for name in ("scheduler", "ioPriority", "execCPUAffinity")
}
TRUE = {"path": "/bin/true", "args": ["true"], "env": ["A=b"], "timeout": 5}
BASE["hooks"] = {
    kind: [TRUE] for kind in ("createRuntime", "createContainer", "startContainer", "poststop")
}
BASE["annotations"] = mutated.EVERYTHING["annotations"]


pytestmark = pytest.mark.timeout(3600)  # as many as MINIRT_FUZZ wants


class Tried(Runtime):
    """A runtime whose every call must end well, and what came of the calls: (verb, status)."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        # Traces of containers are kept, for a while.
        self.environment = {"PWD": "/", "MINIRT_STATE": str(directory / "traces")}
        self.said = directory / "said"  # not a pipe: the container's init would hold it
        self.outcomes: set[tuple[str, int]] = set()

    def tries(self, verb: str, *words: str) -> bool:
        with self.said.open("w") as file:
            usual = {"capture_output": False, "stdout": file, "stderr": file}
            done = self.call(verb, *words, "c1", env=self.environment, **usual)
        assert "Traceback" not in self.said.read_text(), self.said.read_text()
        assert "minirt has a fault" not in self.said.read_text(), self.said.read_text()
        self.outcomes.add((verb, done.returncode))
        return done.returncode == 0


@pytest.fixture
def runtime(tmp_path: Path) -> Tried:
    return Tried(tmp_path)


def test_a_changed_configuration_is_created_or_refused_and_leaves_nothing(runtime: Tried) -> None:
    @mutated.often(100)
    @given(mutated.documents([BASE]))
    def create_and_delete(document: dict[str, Any]) -> None:
        # Another root than the bundle's would be the host's, to write to.
        document["root"] = {"path": "rootfs"}
        document.pop("minirt", None)  # it is for the steps, whose bridge would stay
        runtime.config = document
        if runtime.tries("create"):
            runtime.tries("start")
        assert runtime.tries("delete", "--force"), runtime.said.read_text()
        assert list(runtime.root.glob("*")) == []

    create_and_delete()
    assert runtime.outcomes >= {("create", 0), ("create", 1), ("start", 0), ("delete", 0)}
    assert {status for _, status in runtime.outcomes} == {0, 1}


@pytest.mark.parametrize(
    ("verb", "option", "base", "refused"),
    [
        ("exec", "--process", BASE["process"] | SCHEDULED, 255),
        ("update", "--resources", mutated.EVERYTHING["linux"]["resources"], 1),
    ],
)
def test_a_changed_file_is_taken_or_refused_and_the_container_goes_on(
    verb: str, option: str, base: Any, refused: int, runtime: Tried, tmp_path: Path
) -> None:
    file = tmp_path / "changed.json"
    runtime.config = configuration(("sleep", "600"))
    assert runtime.tries("create")
    assert runtime.tries("start")

    @mutated.often(30)
    @given(mutated.documents([base]))
    def change(document: dict[str, Any]) -> None:
        file.write_text(json.dumps(document))
        runtime.tries(verb, option, str(file))
        assert runtime.state("c1")["status"] == "running"

    try:
        change()
    finally:
        runtime.must("delete", "--force", "c1")
    assert (verb, refused) in runtime.outcomes
