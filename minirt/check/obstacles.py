"""Why a step is not possible on this machine, and the remedy; None where nothing is in the way."""

from __future__ import annotations

from minirt.check import probes
from minirt.host import packages
from minirt.linux import mountinfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.check.machine import Facts

# What each step needs beside what the steps before it need.
PROBES = {1: ("uts",), 2: ("pid",), 3: ("tree",), 4: ("net",)}
NEED_ROOT = {
    4: "what it adds needs root: a bridge and one end of a veth pair on the machine",
    5: "what it adds needs root: no cgroup is delegated to you",
}
SUDO = "run it with sudo"
APPARMOR_OFF = "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
VM = "use a virtual machine or another computer"


class Obstacle:
    """One sentence of why, one of what to do."""

    __slots__ = ("remedy", "why")

    def __init__(self, why: str, remedy: str) -> None:
        self.why = why
        self.remedy = remedy


def find(step: int, facts: Facts) -> Obstacle | None:
    """What forbids this step to the current user; found by trying it, in processes of their own."""
    if not facts.root:
        said = probes.failure("user")
        if said:
            return _no_user_namespace(facts, said)
        if step in NEED_ROOT:
            return Obstacle(NEED_ROOT[step], SUDO)
    for number in range(1, step + 1):
        for name in PROBES.get(number, ()):
            said = probes.failure(name)
            if said:
                return _forbidden(facts, said)
    return {5: _no_cgroup, 7: _no_vm}.get(step, _nothing)(facts)


def _no_user_namespace(facts: Facts, said: str) -> Obstacle:
    """The four ways in which systems keep user namespaces from ordinary users."""
    known = (
        (facts.chroot, "in a chroot no user namespace can be made", "enter it by pivot_root"),
        (
            facts.sysctls.get("maximum") == "0",
            "user namespaces are switched off (user.max_user_namespaces is 0)",
            "sudo sysctl user.max_user_namespaces=10000",
        ),
        (
            facts.sysctls.get("clone") == "0",
            "only root may make user namespaces (kernel.unprivileged_userns_clone is 0)",
            "sudo sysctl kernel.unprivileged_userns_clone=1",
        ),
        (
            facts.sysctls.get("apparmor") == "1",
            "AppArmor, as Ubuntu sets it up, lets no program mount in a user namespace",
            f"{SUDO}; or, weaker: {APPARMOR_OFF}",
        ),
    )
    for true, why, remedy in known:
        if true:
            return Obstacle(f"{why}: {said}", remedy)
    return _forbidden(facts, said)


def _forbidden(facts: Facts, said: str) -> Obstacle:
    if facts.wsl == 1:
        return Obstacle("WSL1 is no Linux kernel", "in Windows: wsl --set-version DISTRIBUTION 2")
    if facts.container and not facts.chroot:
        why = f"the {facts.container} container around us forbids it: {said}"
        return Obstacle(why, f"start it with --privileged, or {VM}")
    if facts.chroot:
        return Obstacle(
            f"this is a plain chroot, and only a mount point can be a root to leave: {said}",
            "enter this tree by pivot_root, for example with systemd-nspawn or unshare --root",
        )
    if facts.root and not facts.admin:
        return Obstacle(f"this root has no CAP_SYS_ADMIN: {said}", VM)
    return Obstacle(f"the kernel refuses: {said}", VM)


def _no_cgroup(facts: Facts) -> Obstacle | None:
    if facts.cgroup == "none":
        return Obstacle(
            "no cgroup hierarchy is mounted", "sudo mount -t cgroup2 cgroup2 /sys/fs/cgroup"
        )
    groups = [m for m in mountinfo.mounts() if m.fstype in ("cgroup", "cgroup2")]
    if all("ro" in m.options for m in groups):
        return Obstacle("the cgroup hierarchies are mounted read-only", VM)
    return None


def _no_vm(_facts: Facts) -> Obstacle | None:
    lacking = [need for need in packages.missing(["run"]) if need.why.endswith("step 7")]
    if lacking:
        names = " ".join(sorted(need.package for need in lacking))
        return Obstacle(f"{names} not installed", f"sudo apt-get install {names}")
    return None


def _nothing(_facts: Facts) -> Obstacle | None:
    return None
