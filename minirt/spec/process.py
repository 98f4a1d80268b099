"""`process` of config.json: the program, who runs it, and how the kernel treats it."""

from __future__ import annotations

from minirt.errors import ConfigError
from minirt.linux import caps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.linux.scheduling import IoPriority, Scheduler
    from minirt.reader import Reader

# Members that few processes have are read by modules that are imported only for them.
LARGEST_ID = 0xFFFFFFFE  # (uid_t) -1 means "leave as it is"
ALL_BITS = 0o7777  # of a file's mode
OOM_SCORE_MIN, OOM_SCORE_MAX = -1000, 1000
SETS = ("bounding", "effective", "permitted", "inheritable", "ambient")


class Process:
    """The program and who runs it; None or () is what was not asked for.

    `unknown_capabilities` are those that no kernel of today has: to warn of, and to leave out.
    `affinity` are the CPUs of a process of exec: before it joins its cgroups, and after.
    """

    __slots__ = (
        "affinity", "apparmor_profile", "args", "capabilities", "console_size", "cwd", "env",
        "gid", "groups", "io_priority", "no_new_privs", "oom_score_adj", "rlimits", "scheduler",
        "selinux_label", "terminal", "uid", "umask", "unknown_capabilities",
    )  # fmt: skip

    def __init__(self, reader: Reader) -> None:
        self.args = reader.texts("args")
        self.env = _environment(reader)
        self.cwd = reader.text("cwd", "/")
        self.terminal = reader.flag("terminal")
        self.console_size = _console_size(reader.object("consoleSize"))
        self.no_new_privs = reader.flag("noNewPrivileges")
        # Without a process a container can be created, though not started (config.md, "Process").
        if reader.value and not (self.args and self.args[0]):
            raise ConfigError("must name a program", pointer=reader.where("args"))
        if not self.cwd.startswith("/"):
            raise ConfigError("must be an absolute path", pointer=reader.where("cwd"))
        user = reader.object("user")
        self.uid, self.gid = _id(user, "uid"), _id(user, "gid")
        self.groups = _groups(user)
        self.umask = _umask(user)
        self.capabilities, self.unknown_capabilities = _capabilities(reader.object("capabilities"))
        self.rlimits = _rlimits(reader)
        self.oom_score_adj = _oom_score_adj(reader)
        self.scheduler = _scheduler(reader)
        self.io_priority = _io_priority(reader)
        self.affinity = _affinity(reader.object("execCPUAffinity"))
        self.apparmor_profile = reader.text("apparmorProfile")
        self.selinux_label = reader.text("selinuxLabel")


def _environment(reader: Reader) -> tuple[str, ...]:
    variables = reader.texts("env")
    for index, variable in enumerate(variables):
        name, equals, _ = variable.partition("=")
        if not name or not equals:
            pointer = f"{reader.where('env')}/{index}"
            raise ConfigError(f'"{variable}" is not NAME=VALUE', pointer=pointer)
    homes = [variable for variable in variables if variable.startswith("HOME=")]
    if homes and homes[-1] == "HOME=":  # an empty one is none: the image knows a better one
        return tuple(variable for variable in variables if variable not in homes)
    return variables


def _console_size(reader: Reader) -> tuple[int, int] | None:
    """(rows, columns); None where the engine sets it later."""
    size = reader.number("height"), reader.number("width")
    for name, value in zip(("height", "width"), size, strict=True):
        if not 0 <= value <= 0xFFFF:
            raise ConfigError("must lie between 0 and 65535", pointer=reader.where(name))
    return size if any(size) else None


def _id(user: Reader, name: str) -> int:
    number = user.number(name)
    if not 0 <= number <= LARGEST_ID:
        raise ConfigError(f"must lie between 0 and {LARGEST_ID}", pointer=user.where(name))
    return number


def _umask(user: Reader) -> int:
    mask = user.number("umask", 0o022)
    if not 0 <= mask <= ALL_BITS:
        what = f"must lie between 0 and {ALL_BITS} ({ALL_BITS:#o})"
        raise ConfigError(what, pointer=user.where("umask"), hint="JSON has no octal numbers")
    return mask


def _groups(user: Reader) -> tuple[int, ...]:
    groups = []
    for index, group in enumerate(user.items("additionalGids")):
        if not isinstance(group, int) or isinstance(group, bool) or not 0 <= group <= LARGEST_ID:
            pointer = f"{user.where('additionalGids')}/{index}"
            raise ConfigError(f"must be a number from 0 to {LARGEST_ID}", pointer=pointer)
        groups.append(group)
    return tuple(groups)


def _capabilities(sets: Reader) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """The five sets by name, and what is in none of them: names that the kernel does not have."""
    known, unknown = {}, []
    for name in SETS:
        given = sets.texts(name)
        known[name] = tuple(text for text in given if text in caps.NAMES)
        unknown += [text for text in given if text not in caps.NAMES and text not in unknown]
    return known, tuple(unknown)


def _rlimits(reader: Reader) -> tuple[tuple[str, int, int], ...]:
    if not reader.items("rlimits"):
        return ()
    from minirt.linux import rlimits

    found: dict[str, tuple[str, int, int]] = {}
    for limit in reader.objects("rlimits"):
        name, soft, hard = limit.text("type"), limit.number("soft"), limit.number("hard")
        if name not in rlimits.NAMES:
            names = ", ".join(rlimits.NAMES)
            what = f'"{name}" is not a resource limit'
            raise ConfigError(what, pointer=limit.where("type"), hint=f"one of {names}")
        if name in found:
            raise ConfigError(f"{name} is limited twice", pointer=limit.where("type"))
        if not 0 <= soft <= hard <= rlimits.INFINITY:
            what = f"must lie between 0 and the hard limit, {hard}"
            raise ConfigError(what, pointer=limit.where("soft"))
        found[name] = (name, soft, hard)
    return tuple(found.values())


def _scheduler(reader: Reader) -> Scheduler | None:
    if reader.value.get("scheduler") is None:
        return None
    from minirt.spec.scheduling import scheduler

    return scheduler(reader.object("scheduler"))


def _io_priority(reader: Reader) -> IoPriority | None:
    if reader.value.get("ioPriority") is None:
        return None
    from minirt.spec.scheduling import io_priority

    return io_priority(reader.object("ioPriority"))


def _oom_score_adj(reader: Reader) -> int | None:
    if reader.value.get("oomScoreAdj") is None:
        return None
    score = reader.number("oomScoreAdj")
    if not OOM_SCORE_MIN <= score <= OOM_SCORE_MAX:
        what = f"must lie between {OOM_SCORE_MIN} and {OOM_SCORE_MAX}"
        raise ConfigError(what, pointer=reader.where("oomScoreAdj"))
    return score


def _affinity(reader: Reader) -> tuple[frozenset[int], frozenset[int]]:
    """The CPUs of exec: (initial, final)."""
    if not reader.value:
        return frozenset(), frozenset()
    from minirt.linux import cpus

    try:
        initial, final = (cpus.parse(reader.text(name)) for name in ("initial", "final"))
    except ValueError as error:
        what = f'"{error}" is not a list of CPUs'
        raise ConfigError(what, pointer=reader.pointer, hint='such as "0-3,7"') from None
    return initial, final
