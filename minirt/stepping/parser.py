"""A small command-line parser: argparse alone costs 7 ms of a start that takes 20.

Options come before the command; `--name value` and `--name=value` are the same; `--` ends them.
"""

from __future__ import annotations

from minirt.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Option:
    """One option. Without a metavar it is a switch; with `many` it may be given repeatedly.

    `since` is the first step that has it.
    """

    __slots__ = ("help", "many", "metavar", "name", "since")

    def __init__(
        self, name: str, metavar: str, help_text: str, *, since: int = 1, many: bool = False
    ) -> None:
        self.name = name
        self.metavar = metavar
        self.help = help_text
        self.since = since
        self.many = many


class Values:
    """What was given: `text` of an option with a value, `texts` of a repeated one, `on`."""

    __slots__ = ("_given", "command")

    def __init__(self) -> None:
        self._given: dict[str, list[str]] = {}
        self.command: list[str] = []

    def add(self, name: str, value: str) -> None:
        self._given.setdefault(name, []).append(value)

    def text(self, name: str, default: str = "") -> str:
        """The last value given."""
        return self._given.get(name, [default])[-1]

    def texts(self, name: str) -> list[str]:
        return self._given.get(name, [])

    def on(self, name: str) -> bool:
        return name in self._given


def parse(arguments: Sequence[str], options: Iterable[Option], step: int) -> Values:
    """Split `arguments` into options of this step and the command; ConfigError when wrong."""
    known = {option.name: option for option in options}
    values = Values()
    rest = list(arguments)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word == "--":
            break
        name, equals, value = word.partition("=")
        name = "--help" if name == "-h" else name
        option = _known(name, known, step)
        if not option.metavar and equals:
            raise ConfigError("takes no value", pointer=name)
        if option.metavar and not equals:
            if not rest:
                raise ConfigError(f"needs a value: {name} {option.metavar}", pointer=name)
            value = rest.pop(0)
        if values.on(name) and not option.many:
            raise ConfigError("was given twice", pointer=name, hint="give it once")
        values.add(name, value)
    values.command = rest
    return values


def _known(name: str, known: dict[str, Option], step: int) -> Option:
    option = known.get(name)
    if option is None:
        from difflib import get_close_matches  # only now: it costs more than this whole file

        # Without the dashes: they would make any two options alike.
        names = [other.lstrip("-") for other in known if known[other].since <= step]
        near = get_close_matches(name.lstrip("-"), names, n=1)
        hint = f"did you mean --{near[0]}?" if near else "see --help"
        raise ConfigError("is not an option", pointer=name, hint=hint)
    if option.since > step:
        raise ConfigError(
            f"is not an option of step {step}",
            pointer=name,
            hint=f"it comes with step {option.since}: python -m minirt.step{option.since}",
        )
    return option


def usage(options: Iterable[Option], step: int) -> str:
    """The options of this step, a line each, the newest first."""
    shown = [option for option in options if option.since <= step]
    width = max(len(f"{o.name} {o.metavar}") for o in shown)
    lines = []
    for option in sorted(shown, key=lambda o: -o.since if o.since > 1 else 0):
        repeated = " (repeatable)" if option.many else ""
        lines.append(f"  {f'{option.name} {option.metavar}':<{width}}  {option.help}{repeated}")
    return "\n".join(lines)
