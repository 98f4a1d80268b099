"""What the engine does besides the steps: hooks, namespaces by path, kernels without clone3."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from steps import PYTHON, children, namespace, state_root, status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

DRIVER = [*PYTHON, str(Path(__file__).with_name("engine_driver.py"))]
ID = "engine-test"
SLEEP = ("--network", "none", "--", "sleep", "1000")
EVERY = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")
TYPES = {"net": "network", "pid": "pid", "user": "user", "uts": "uts", "ipc": "ipc"}


class Driven:
    """A container that the driver made, or `answer["error"]`, until the `with` block ends."""

    def __init__(self, *arguments: str, step: int = 6, **order: object) -> None:
        order = {"id": ID, "step": step, "arguments": arguments or SLEEP, **order}
        self.driver = subprocess.Popen(
            [*DRIVER, json.dumps(order), str(state_root())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.answer = json.loads(self.driver.stdout.readline() or "{}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _, self.stderr = self.driver.communicate(timeout=30)
        assert self.driver.returncode == 0, self.stderr

    @property
    def pid(self) -> int:
        assert "pid" in self.answer, self.answer
        return self.answer["pid"]


def failure(*arguments: str, **order: object) -> dict[str, str]:
    """The error of a container that cannot be made; nothing of it is left."""
    with Driven(*arguments, **order) as driven:
        assert driven.answer.get("error"), driven.answer
    assert not (state_root() / "containers" / ID).exists()
    return driven.answer


def hook(script: str, name: str = "sh", **more: object) -> dict[str, object]:
    return {"path": "/bin/sh", "args": [name, "-c", script], **more}


def told(directory: Path, name: str) -> list[str]:
    return (directory / name).read_text().splitlines()


@pytest.fixture
def notes(playground: Path) -> Iterator[Path]:
    """A directory in which hooks write what they saw; mode 777, for those without rights."""
    made = playground / "notes"
    made.mkdir()
    made.chmod(0o777)
    yield made
    for path in made.iterdir():
        path.unlink()
    made.rmdir()


def test_prestart_meets_the_container_between_enter_and_pivot_root(notes: Path) -> None:
    script = f"""
    state=$(cat); echo "$state" >{notes}/state
    pid=${{state##*\\"pid\\":}}; pid=${{pid%%[,\\}}]*}}; pid=$(echo $pid)
    {{ readlink /proc/$pid/ns/uts; nsenter -t $pid -u uname -n
      stat -L -c %d:%i /proc/$pid/root/.; grep -c ' - overlay ' /proc/$pid/mountinfo
    }} >{notes}/seen"""
    with Driven("--hostname", "met", *SLEEP, hooks={"prestart": [hook(script)]}) as driven:
        state = json.loads((notes / "state").read_text())
        assert (state["pid"], state["id"], state["status"]) == (driven.pid, ID, "created")
        uts, name, root, overlays = told(notes, "seen")
        assert uts == namespace(driven.pid, "uts") != namespace("self", "uts")
        host, inside = os.stat("/"), os.stat(f"/proc/{driven.pid}/root/.")
        assert root == f"{host.st_dev}:{host.st_ino}" != f"{inside.st_dev}:{inside.st_ino}"
    assert name == "met"
    assert int(overlays) > Path("/proc/self/mountinfo").read_text().count(" - overlay ")


def test_a_hook_gets_its_own_arguments_and_environment_alone(notes: Path) -> None:
    script = f"cat /proc/$$/cmdline >{notes}/argv; cat /proc/$$/environ >{notes}/env"
    env = ["ONE=1", "EMPTY="]
    with Driven(*SLEEP, hooks={"prestart": [hook(script, "our-hook", env=env)]}) as driven:
        assert driven.pid
    assert (notes / "argv").read_text().split("\0") == ["our-hook", "-c", script, ""]
    *given, trace, end = (notes / "env").read_text().split("\0")
    assert (given, end) == (env, "")
    assert trace.startswith("TRACEPARENT=00-")  # what it traces is a part of this start


def test_hooks_run_in_the_order_of_the_specification(notes: Path) -> None:
    inside = {"startContainer": "/notes"}
    kinds = (
        "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
    )  # fmt: skip
    hooks = {
        kind: [hook(f"echo {kind} {n} >>{inside.get(kind, notes)}/order") for n in (1, 2)]
        for kind in kinds
    }
    arguments = ("--volume", f"{notes}:/notes", *SLEEP)
    wanted = [f"{kind} {n}" for kind in kinds for n in (1, 2)]
    with Driven(*arguments, hooks=hooks) as driven:
        assert driven.pid
        assert told(notes, "order") == wanted[:-2]
    assert told(notes, "order") == wanted


@pytest.mark.parametrize(
    ("kind", "where"), [("createContainer", "{}"), ("startContainer", "/notes")]
)
def test_a_hook_of_the_container_runs_in_its_namespaces(notes: Path, kind: str, where: str) -> None:
    target = where.format(notes)
    links = " ".join(f"/proc/self/ns/{name}" for name in EVERY)
    script = f"cat >{target}/state; for link in {links}; do readlink $link; done >{target}/seen"
    arguments = ("--volume", f"{notes}:/notes", *SLEEP)
    with Driven(*arguments, hooks={kind: [hook(script)]}) as driven:
        assert told(notes, "seen") == [namespace(driven.pid, name) for name in EVERY]
        assert json.loads((notes / "state").read_text())["pid"] == 1


@pytest.mark.parametrize("kind", ["prestart", "createRuntime", "createContainer", "startContainer"])
def test_a_hook_that_fails_undoes_the_container(kind: str) -> None:
    told = failure(*SLEEP, hooks={kind: [hook("echo no such network >&2; exit 3")]})
    assert told["error"] == "HostError"
    assert told["what"] == f"/hooks/{kind}/0: /bin/sh failed: no such network"


def test_poststop_runs_after_a_failure_too_and_cannot_stop_the_deletion(notes: Path) -> None:
    script = f"echo >{notes}/stopped; echo stubborn >&2; exit 1"
    with Driven(*SLEEP, hooks={"prestart": [hook("exit 1")], "poststop": [hook(script)]}) as driven:
        assert driven.answer["error"] == "HostError"
    assert (notes / "stopped").exists()
    assert "stubborn" in driven.stderr


def test_a_hook_that_takes_longer_than_its_timeout_is_killed() -> None:
    before = time.monotonic()
    told = failure(*SLEEP, hooks={"prestart": [hook("exec sleep 1000", timeout=1)]})
    assert "was killed: it took longer than its 1 s" in told["what"]
    assert time.monotonic() - before < 20


@contextmanager
def holder(kind: str) -> Iterator[int]:
    """A process that lives in a namespace of that kind that nobody else is in; its pid."""
    process = subprocess.Popen(
        ["unshare", f"--{kind}", "--fork", "sh", "-c", "echo ready; read line"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout.readline() == "ready\n"
        (pid,) = children(process.pid)
        if kind == "user":
            for name in ("uid_map", "gid_map"):
                Path(f"/proc/{pid}/{name}").write_text("0 0 65536")
        yield pid
    finally:
        process.communicate(timeout=30)


@pytest.mark.parametrize("kind", TYPES)
def test_init_is_in_the_namespace_of_the_path_and_the_launchers_child(kind: str) -> None:
    options = ("--userns",) if kind == "user" else ()
    with holder(kind) as held:
        path = f"/proc/{held}/ns/{kind}"
        with Driven(*options, *SLEEP, namespaces={TYPES[kind]: path}) as driven:
            assert namespace(driven.pid, kind) == namespace(held, kind) != namespace("self", kind)
            assert status(driven.pid, "PPid") == [str(driven.driver.pid)]
            for other in {"uts", "ipc", "net", "pid", "mnt"} - {kind}:
                assert namespace(driven.pid, other) not in (
                    namespace(held, other), namespace("self", other),
                )  # fmt: skip
        assert Path(f"/proc/{held}").exists()


@pytest.mark.parametrize("kind", TYPES)
def test_a_path_of_another_kind_is_refused(kind: str) -> None:
    options = ("--userns",) if kind == "user" else ()
    wrong = "/proc/self/ns/" + ("uts" if kind != "uts" else "ipc")
    told = failure(*options, *SLEEP, namespaces={TYPES[kind]: wrong})
    assert told["error"] == "ConfigError"
    assert f"the type {kind}" in told["what"]


def test_a_path_that_does_not_exist_is_refused() -> None:
    told = failure(*SLEEP, namespaces={"network": "/nonexistent/net"})
    assert told["error"] == "KernelError"
    assert told["call"].startswith('open("/nonexistent/net") = ENOENT')


def test_a_container_starts_where_a_filter_hides_clone3() -> None:
    with Driven(*SLEEP[2:], step=3, clone3=errno.ENOSYS) as driven:
        for kind in ("mnt", "pid", "uts", "ipc"):
            assert namespace(driven.pid, kind) != namespace("self", kind)


def test_a_clone3_that_is_forbidden_is_named_with_a_hint() -> None:
    told = failure(*SLEEP[2:], step=3, clone3=errno.EPERM)
    assert told["call"].startswith("clone3(CLONE_NEW")
    assert "EPERM" in told["call"]
    assert told["hint"]
