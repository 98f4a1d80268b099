"""`hooks` of config.json: programs that meet the container on its way."""

from __future__ import annotations

from minirt.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.reader import Reader

KINDS = (
    "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
)  # fmt: skip


class Hook:
    """One program: the container's state is its input, `timeout` s its time (0: no limit)."""

    __slots__ = ("args", "env", "path", "pointer", "timeout")

    def __init__(self, reader: Reader) -> None:
        self.pointer = reader.pointer
        self.path = reader.text("path")
        if not self.path.startswith("/"):
            raise ConfigError("must be an absolute path", pointer=reader.where("path"))
        self.args = reader.texts("args")
        self.env = reader.texts("env")
        self.timeout = reader.number("timeout")
        if reader.value.get("timeout") is not None and self.timeout <= 0:
            what = "must be greater than zero"
            raise ConfigError(what, pointer=reader.where("timeout"), hint="leave it out for none")


def hooks(reader: Reader) -> dict[str, tuple[Hook, ...]]:
    """The hooks of each kind that has any, in the order in which they are run."""
    found = {kind: tuple(Hook(hook) for hook in reader.objects(kind)) for kind in KINDS}
    return {kind: given for kind, given in found.items() if given}
