"""Changed configurations through create, start and delete: never a traceback, never anything left.

100 of them, or MINIRT_FUZZ times as many. conftest.py looks for what is left.
"""

from __future__ import annotations

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
TRUE = {"path": "/bin/true", "args": ["true"], "env": ["A=b"], "timeout": 5}
BASE["hooks"] = {
    kind: [TRUE] for kind in ("createRuntime", "createContainer", "startContainer", "poststop")
}
BASE["annotations"] = mutated.EVERYTHING["annotations"]


@pytest.mark.timeout(3600)
def test_a_changed_configuration_is_created_or_refused_and_leaves_nothing(tmp_path: Path) -> None:
    runtime = Runtime(tmp_path)
    outcomes = set()
    # Traces of containers are kept, for a while.
    environment = {"PWD": "/", "MINIRT_STATE": str(tmp_path / "traces")}

    def tried(verb: str) -> bool:
        said = tmp_path / "said"  # not a pipe: the container's init would hold it
        with said.open("w") as file:
            usual = {"capture_output": False, "stdout": file, "stderr": file}
            done = runtime.call(verb, "c1", env=environment, **usual)
        assert "Traceback" not in said.read_text(), said.read_text()
        assert "minirt has a fault" not in said.read_text(), said.read_text()
        assert done.returncode in (0, 1), said.read_text()
        outcomes.add((verb, done.returncode))
        return done.returncode == 0

    @mutated.often(100)
    @given(mutated.documents([BASE]))
    def create_and_delete(document: dict[str, Any]) -> None:
        # Another root than the bundle's would be the host's, to write to.
        document["root"] = {"path": "rootfs"}
        document.pop("minirt", None)  # it is for the steps, whose bridge would stay
        runtime.config = document
        if tried("create"):
            tried("start")
        runtime.must("delete", "--force", "c1", env=environment)
        assert list(runtime.root.glob("*")) == []

    create_and_delete()
    assert outcomes >= {("create", 0), ("create", 1), ("start", 0)}
