"""What the tour runs at each step: a command outside and inside, or before and after the step."""

from __future__ import annotations

import re
from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MARK = "/minirt-was-here"  # a file that only a container ever makes
REACHED = "I could signal it"
GATEWAY = '$(ip route | awk "/^default/ { print \\$3 }")'
POWERS = 'grep -E "^(CapEff|NoNewPrivs|Seccomp):" /proc/self/status'
MOUNT = f"mount -t tmpfs none /mnt 2>&1 && echo mounted; {POWERS}"


@dataclass(frozen=True)
class Scene:
    """One command: on the host (`step` 0), or in the container of a step with its options."""

    command: tuple[str, ...]
    step: int = 0
    options: tuple[str, ...] = ()
    quiet: bool = True


@dataclass(frozen=True)
class Seen:
    """What a scene printed on stdout and stderr, less the last newline, and its exit status."""

    text: str
    status: int


@dataclass(frozen=True)
class Demo:
    """The scenes of one step, what must be seen in them (one Seen each), and what that shows."""

    step: int
    title: str
    scenes: tuple[Scene, ...]
    check: Callable[[Sequence[Seen]], bool]
    shows: str


def demos(bystander: int) -> tuple[Demo, ...]:
    """All seven, in order; `bystander` is a process of the machine that a container must not see.

    It is not process 1, which every container has.
    """
    return (_name(), _processes(bystander), _files(), _network(), _limits(), _powers(), _machine())


def _host(*command: str) -> Scene:
    return Scene(command)


def _inside(step: int, script: str, *options: str) -> Scene:
    return Scene(("sh", "-c", script), step, options)


def _name() -> Demo:
    return Demo(
        1,
        "a name of its own: the UTS namespace",
        (
            _host("uname", "-n"),
            Scene(("uname", "-n"), 1, ("--hostname", "web1")),
            _host("uname", "-n"),
        ),
        lambda seen: seen[1].text == "web1" and seen[0].text == seen[2].text != "web1",
        "the container is called web1; the machine kept its name",
    )


def _processes(bystander: int) -> Demo:
    script = f"echo I am process $$; kill -0 {bystander} 2>&1 && echo {REACHED}"
    return Demo(
        2,
        "processes of its own: the PID and IPC namespaces",
        (_host("sh", "-c", script), _inside(2, script)),
        lambda seen: REACHED in seen[0].text and _is_alone(seen[1].text),
        "it is process 1, and the machine's processes are out of its reach",
    )


def _is_alone(text: str) -> bool:
    return text.startswith("I am process 1\n") and REACHED not in text


def _files() -> Demo:
    script = f"touch {MARK}; echo /*; ps"
    return Demo(
        3,
        "files of its own: the mount namespace, overlayfs and pivot_root",
        (_inside(3, script), _host("sh", "-c", f"ls {MARK} 2>&1")),
        lambda seen: MARK in seen[0].text and seen[1].status != 0,
        "it made a file and lists only its own processes; on the machine there is no such file",
    )


def _network() -> Demo:
    script = f"ip -o -4 address; ip route; ping -c 1 {GATEWAY}"
    return Demo(
        4,
        "a network of its own: a veth pair and a bridge",
        (_host("ip", "-brief", "link"), _inside(4, script), _host("ip", "-brief", "link")),
        lambda seen: "eth0" in seen[1].text and " 0% packet loss" in seen[1].text,
        "it has an address of its own and reaches the bridge",
    )


def _limits() -> Demo:
    none = ("--network", "none")
    return Demo(
        5,
        "its share of the machine: cgroups",
        (
            Scene(("eat", "128"), 4, none),
            Scene(("eat", "128"), 5, (*none, "--memory", "64m")),
        ),
        lambda seen: "had 128 MiB" in seen[0].text and seen[1].status == 128 + 9,
        "what step 4 let it take, step 5 does not: the kernel killed it at 64 MiB",
    )


def _powers() -> Demo:
    return Demo(
        6,
        "less than root: capabilities and seccomp",
        (_inside(5, MOUNT), Scene(("sh", "-c", MOUNT), 6, quiet=False)),
        lambda seen: "mounted" in seen[0].text and _is_confined(seen[1].text),
        "root of step 5 can mount; root of step 6 cannot, and every system call is filtered",
    )


def _is_confined(text: str) -> bool:
    return "mounted" not in text and "Seccomp:\t2" in text and "NoNewPrivs:\t1" in text


def _machine() -> Demo:
    return Demo(
        7,
        "the same in a virtual machine",
        (_host("uname", "-r"), Scene(("uname", "-r"), 7, ("--network", "none"), quiet=False)),
        lambda seen: seen[1].status == 0 and _two_kernels(seen[0].text, seen[1]),
        "the container runs on the machine's kernel, the VM on one of its own",
    )


def _two_kernels(host: str, seen: Seen) -> bool:
    """Whether the host's kernel release was printed, and another one."""
    return host in seen.text and bool(set(re.findall(r"\b\d+\.\d+\.\d+-\S+", seen.text)) - {host})
