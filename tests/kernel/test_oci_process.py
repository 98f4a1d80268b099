"""`process`, sysctls, names: what the container's program sees of them, by the kernel's word."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from oci import Runtime
from steps import status

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    return Runtime(tmp_path)


def process(runtime: Runtime, **members: Any) -> None:
    runtime.config["process"].update(members)


def fields(runtime: Runtime) -> dict[str, str]:
    """/proc/self/status of the program."""
    lines = runtime.output("cat", "/proc/self/status").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_the_user_its_groups_and_its_umask(runtime: Runtime) -> None:
    process(runtime, user={"uid": 7, "gid": 8, "additionalGids": [9, 10], "umask": 0o27})
    found = fields(runtime)
    assert found["Uid"].split() == ["7"] * 4
    assert found["Gid"].split() == ["8"] * 4
    assert found["Groups"].split() == ["9", "10"]
    assert found["Umask"] == "0027"


def test_a_capability_may_stand_for_the_right_to_execute(runtime: Runtime) -> None:
    """CAP_DAC_OVERRIDE does, where somebody at least may execute the file."""
    program = runtime.bundle / "rootfs/roots"
    program.write_text("#!/bin/sh\necho executed\n")
    program.chmod(0o744)
    process(runtime, user={"uid": 7, "gid": 8}, args=["/roots"])
    assert "permission denied" in runtime.refusal()
    names = ["CAP_DAC_OVERRIDE"]
    process(runtime, capabilities=dict.fromkeys(("bounding", "effective", "permitted"), names))
    assert runtime.output("/roots") == "executed\n"


def test_the_environment_and_the_arguments_are_exactly_those(runtime: Runtime) -> None:
    process(runtime, env=["A=1", "B=x=y", "C=", "HOME=/x", "A=2", "PATH=/bin"])
    shown = runtime.output("/usr/bin/env").splitlines()
    assert sorted(shown) == ["A=2", "B=x=y", "C=", "HOME=/x", "PATH=/bin"]
    assert runtime.output("sh", "-c", 'printf "%s|" "$@"', "sh", "a b", "", "*") == "a b||*|"


@pytest.mark.parametrize(
    ("passwd", "home"),
    [("root:x:0:0::/root:/bin/sh\nu:x:7:7::/home/u:/bin/sh\n", "/home/u"), ("", "/"), (None, "/")],
    ids=["named", "unnamed", "fifo"],
)
@pytest.mark.parametrize("given", [[], ["HOME="], ["HOME=/x", "HOME="]], ids=str)
def test_home_is_the_images_where_nothing_sets_it(
    runtime: Runtime, passwd: str | None, home: str, given: list[str]
) -> None:
    file = runtime.bundle / "rootfs/etc/passwd"
    file.parent.mkdir(exist_ok=True)
    file.unlink(missing_ok=True)
    runtime.config["process"]["env"] += given
    if passwd is None:
        os.mkfifo(file)
    else:
        file.write_text(passwd)
    process(runtime, user={"uid": 7, "gid": 7})
    assert f"HOME={home}\n" in runtime.output("/usr/bin/env")


def test_a_missing_working_directory_is_made(runtime: Runtime) -> None:
    process(runtime, cwd="/srv/a/b")
    runtime.config["root"]["readonly"] = True
    assert runtime.output("pwd") == "/srv/a/b\n"


def test_a_working_directory_that_only_root_may_enter(runtime: Runtime) -> None:
    closed = runtime.bundle / "rootfs/closed/inner"
    closed.mkdir(parents=True)
    closed.parent.chmod(0o700)
    process(runtime, cwd="/closed/inner", user={"uid": 7, "gid": 7})
    assert runtime.output("readlink", "/proc/self/cwd") == "/closed/inner\n"


def test_a_working_directory_that_is_a_file_is_refused(runtime: Runtime) -> None:
    (runtime.bundle / "rootfs/file").write_text("")
    process(runtime, cwd="/file")
    assert "not a directory" in runtime.refusal()


CAPABILITIES = {
    "bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_FUN"],
    "permitted": ["CAP_CHOWN", "CAP_KILL"],
    "effective": ["CAP_CHOWN", "CAP_KILL"],
    "inheritable": ["CAP_CHOWN"],
    "ambient": ["CAP_CHOWN", "CAP_KILL"],
}


def test_the_five_sets_and_a_warning_for_what_cannot_be(runtime: Runtime, tmp_path: Path) -> None:
    process(runtime, capabilities=CAPABILITIES, user={"uid": 7, "gid": 7})
    process(runtime, args=["cat", "/proc/self/status"])
    log = tmp_path / "log"
    done = runtime.call("--log", str(log), "run", "c1")
    assert done.returncode == 0
    assert done.stderr == ""
    assert "ambient" not in log.read_text()
    found = dict(line.split(":\t") for line in done.stdout.splitlines() if "Cap" in line)
    assert {name: int(bits, 16) for name, bits in found.items()} == {
        "CapBnd": 0b100001, "CapPrm": 1, "CapEff": 1, "CapInh": 1, "CapAmb": 1,
    }  # fmt: skip
    assert "CAP_FUN" in log.read_text()
    runtime.must("--log", str(log), "--debug", "run", "c1")
    lines = [line for line in log.read_text().splitlines() if "ambient" in line]
    assert len(lines) == 1
    assert "level=debug" in lines[0]
    assert "so not ambient: CAP_KILL" in lines[0]


def test_cve_2022_29162_nothing_is_inheritable_that_was_not_asked_for(runtime: Runtime) -> None:
    three = {name: ["CAP_CHOWN"] for name in ("bounding", "effective", "permitted")}
    process(runtime, capabilities=three)
    shown = fields(runtime)
    assert int(shown["CapPrm"], 16) == 1
    assert (int(shown["CapInh"], 16), int(shown["CapAmb"], 16)) == (0, 0)


def test_no_new_privs(runtime: Runtime) -> None:
    assert fields(runtime)["NoNewPrivs"] == "0"
    process(runtime, noNewPrivileges=True)
    assert fields(runtime)["NoNewPrivs"] == "1"


def test_resource_limits_even_small_ones(runtime: Runtime) -> None:
    wanted = {"RLIMIT_NOFILE": (10, 20), "RLIMIT_CORE": (0, 0), "RLIMIT_AS": (1 << 23, 1 << 24)}
    limits = [{"type": name, "soft": s, "hard": h} for name, (s, h) in wanted.items()]
    process(runtime, rlimits=limits)
    lines = runtime.output("cat", "/proc/self/limits").splitlines()
    found = [line.split()[-3:-1] for line in lines if "open files" in line]
    assert found == [["10", "20"]]
    assert [line.split()[-3:-1] for line in lines if "address" in line] == [
        [str(1 << 23), str(1 << 24)]
    ]


def test_a_limit_that_only_cap_sys_resource_may_raise_says_so(runtime: Runtime) -> None:
    held = int(status("self", "CapEff")[0], 16)
    if held >> 24 & 1:
        pytest.skip("this root has CAP_SYS_RESOURCE: everything can be raised")
    process(runtime, rlimits=[{"type": "RLIMIT_NOFILE", "soft": 1 << 19, "hard": 1 << 19}])
    said = runtime.refusal()
    assert "CAP_SYS_RESOURCE" in said
    assert "operation not permitted" in said
    process(runtime, rlimits=[], oomScoreAdj=-1000)
    said = runtime.refusal()
    assert "CAP_SYS_RESOURCE" in said
    assert "permission denied" in said


def test_the_oom_score_and_who_runs_when(runtime: Runtime, tmp_path: Path) -> None:
    process(
        runtime,
        args=["sleep", "60"],
        oomScoreAdj=321,
        scheduler={"policy": "SCHED_BATCH", "nice": 7},
        ioPriority={"class": "IOPRIO_CLASS_BE", "priority": 6},
    )
    pid = runtime.start("c1", tmp_path / "output")
    with open(f"/proc/{pid}/oom_score_adj", encoding="ascii") as file:
        assert file.read() == "321\n"
    assert os.sched_getscheduler(pid) == os.SCHED_BATCH
    assert os.getpriority(os.PRIO_PROCESS, pid) == 7
    shown = runtime.must("exec", "c1", "ionice", "-p", "1")
    assert shown == "best-effort: prio 6\n"
    runtime.must("delete", "--force", "c1")


def test_the_personality_the_names_and_the_sysctls(runtime: Runtime) -> None:
    with open("/proc/sys/net/core/somaxconn", encoding="ascii") as file:
        before = file.read()
    runtime.config["domainname"] = "example"
    runtime.config["linux"]["personality"] = {"domain": "LINUX32"}
    runtime.config["linux"]["sysctl"] = {"net.core.somaxconn": "77", "kernel.shmmni": "55"}
    read = "uname -m; hostname; cd /proc/sys; cat kernel/domainname net/core/somaxconn"
    shown = runtime.output("sh", "-c", f"{read} kernel/shmmni").split()
    expected = {"x86_64": "i686"}.get(os.uname().machine, shown[0])
    assert shown == [expected, "oci", "example", "77", "55"]
    with open("/proc/sys/net/core/somaxconn", encoding="ascii") as file:
        assert file.read() == before


def test_a_value_that_the_kernel_does_not_take(runtime: Runtime) -> None:
    runtime.config["linux"]["sysctl"] = {"net.core.somaxconn": "many"}
    assert "cannot set net.core.somaxconn" in runtime.refusal()
    runtime.config["linux"]["sysctl"] = {"net.core.no_such": "1"}
    assert "no such file or directory" in runtime.refusal()


@pytest.mark.parametrize("member", ["apparmorProfile", "selinuxLabel"])
def test_a_label_without_its_security_module_is_refused(runtime: Runtime, member: str) -> None:
    module = {"apparmorProfile": "/sys/module/apparmor", "selinuxLabel": "/sys/fs/selinux/enforce"}
    if os.path.exists(module[member]):
        pytest.skip(f"this kernel has {module[member]}")
    process(runtime, **{member: "web"})
    assert "is not enabled in this kernel" in runtime.refusal()


def test_standard_streams_are_the_users_but_for_the_null_device(
    runtime: Runtime, tmp_path: Path
) -> None:
    before = os.stat("/dev/null").st_uid
    process(runtime, user={"uid": 7, "gid": 7}, args=["sh", "-c", "echo again > /dev/stdout"])
    output = tmp_path / "output"
    runtime.start("c1", output)
    assert os.stat(output).st_uid == 7
    assert os.stat("/dev/null").st_uid == before
    runtime.must("delete", "--force", "c1")
