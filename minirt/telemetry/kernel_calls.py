"""What the tracer listens to: the calls that make a container, and births, deaths, cgroups."""

from __future__ import annotations

from minirt.linux.calls import MACHINE, NUMBERS

# The calls that make a container; all the others would slow every call of the program down.
OTHERS = {
    "x86_64": {"clone": 56, "vfork": 58, "execve": 59, "setresuid": 117, "setresgid": 119},
    "aarch64": {"clone": 220, "execve": 221, "setresuid": 147, "setresgid": 149},
}
SET_UP = (
    "clone3", "unshare", "setns", "mount", "umount2", "pivot_root", "fsopen", "fsconfig",
    "fsmount", "move_mount", "open_tree", "mount_setattr", "sethostname", "capset", "seccomp",
)  # fmt: skip
SYSCALLS = {
    **{NUMBERS[name]: name for name in SET_UP if name in NUMBERS},
    **{number: name for name, number in OTHERS.get(MACHINE, {}).items()},
}
EVENTS = (
    "raw_syscalls/sys_enter", "raw_syscalls/sys_exit", "sched/sched_process_fork",
    "sched/sched_process_exec", "sched/sched_process_exit", "cgroup/cgroup_mkdir",
    "cgroup/cgroup_attach_task",
)  # fmt: skip
FILTERED = EVENTS[:2]
