"""What is counted and seen apart: the namespaces that need no files, and cgroups."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.mechanism import Mechanism
    from minirt.spec import Spec


def user(spec: Spec) -> Mechanism | None:
    if "user" not in spec.namespaces:
        return None
    from minirt.linux.id_maps import needs_helpers
    from minirt.mechanisms.user import User

    if not spec.makes("user"):
        return User((), ())
    if needs_helpers(spec.uid_maps, spec.gid_maps):
        from minirt.mechanisms.delegated_user import DelegatedUser

        return DelegatedUser(spec.uid_maps, spec.gid_maps)
    return User(spec.uid_maps, spec.gid_maps)


def scope(spec: Spec) -> Mechanism | None:
    if not all(spec.cgroup_scope):
        return None
    from minirt.mechanisms.scope import Scope

    return Scope(*spec.cgroup_scope)


def cgroup(spec: Spec) -> Mechanism | None:
    if not spec.cgroups_path:
        return None
    from minirt.mechanisms.cgroup import Cgroup

    return Cgroup(spec.cgroups_path, spec.cgroup_resources, every=spec.cgroup_everywhere)


def device_rules(spec: Spec) -> Mechanism | None:
    if not spec.cgroups_path:
        return None
    from minirt.mechanisms.device_rules import DeviceRules

    return DeviceRules(spec.cgroup_resources)


def cgroup_ns(spec: Spec) -> Mechanism | None:
    if "cgroup" not in spec.namespaces:
        return None
    from minirt.mechanisms.cgroup_ns import CgroupNamespace

    return CgroupNamespace(joined=not spec.makes("cgroup"))


def pid(spec: Spec) -> Mechanism | None:
    if "pid" not in spec.namespaces:
        return None
    from minirt.mechanisms.pid import Pid

    return Pid()


def ipc(spec: Spec) -> Mechanism | None:
    if "ipc" not in spec.namespaces:
        return None
    from minirt.mechanisms.ipc import Ipc

    return Ipc()


def uts(spec: Spec) -> Mechanism | None:
    if "uts" not in spec.namespaces:
        return None
    from minirt.mechanisms.uts import Uts

    return Uts(spec.hostname)


def domainname(spec: Spec) -> Mechanism | None:
    if not spec.domainname:
        return None
    from minirt.mechanisms.domainname import DomainName

    return DomainName(spec.domainname)


def time(spec: Spec) -> Mechanism | None:
    if "time" not in spec.namespaces:
        return None
    from minirt.mechanisms.time import Time

    return Time(spec.time_offsets, joined=not spec.makes("time"))


def sysctl(spec: Spec) -> Mechanism | None:
    if not spec.sysctls:
        return None
    from minirt.mechanisms.sysctl import Sysctl

    return Sysctl(spec.sysctls)
