"""The command line of an OCI runtime: options anywhere, `--name value` and `--name=value` alike."""

from __future__ import annotations

from minirt.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


# What Go's strconv.ParseBool makes of a switch's value.
TRUE, FALSE = ("true", "1", "t", "T", "TRUE", "True"), ("false", "0", "f", "F", "FALSE", "False")


class Option:
    """One option; without a metavar it is a switch.

    `names` are all its spellings, `values` what it may be where that is not just anything.
    """

    __slots__ = ("help", "metavar", "names", "values")

    def __init__(
        self, names: str, metavar: str, help_text: str, values: tuple[str, ...] = ()
    ) -> None:
        self.names = names.split()
        self.values = values
        self.metavar = metavar
        self.help = help_text

    @property
    def name(self) -> str:
        """Its first spelling, by which its value is asked for."""
        return self.names[0]


class Words:
    """A command line, taken apart: options by name, and what is left, in order."""

    __slots__ = ("_given", "arguments")

    def __init__(self) -> None:
        self._given: dict[str, list[str]] = {}
        self.arguments: list[str] = []

    def add(self, name: str, value: str) -> None:
        self._given.setdefault(name, []).append(value)

    def on(self, name: str) -> bool:
        """Whether a switch was given, and not as --name=false."""
        return self._given.get(name, ["false"])[-1] in TRUE

    def text(self, name: str, default: str = "") -> str:
        return self._given.get(name, [default])[-1]

    def texts(self, name: str) -> list[str]:
        return self._given.get(name, [])

    def number(self, name: str, default: int = 0) -> int:
        """ConfigError when the value is no whole number."""
        text = self.text(name, str(default))
        try:
            return int(text)
        except ValueError:
            raise ConfigError(f'"{text}" is not a whole number', pointer=name) from None


def parse(words: Sequence[str], options: Iterable[Option], *, most: int = 0) -> Words:
    """Take `words` apart: all, or only up to the `most`-th that is no option.

    ConfigError for an unknown option, and for one without its value or with one it cannot have.
    """
    known = {name: option for option in options for name in option.names}
    found = Words()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            break
        if not word.startswith("-") or word == "-":
            found.arguments.append(word)
            if len(found.arguments) == most:
                break
            continue
        _take(word, rest, known, found)
    found.arguments += rest
    return found


def _take(word: str, rest: list[str], known: dict[str, Option], found: Words) -> None:
    name, equals, value = word.partition("=")
    # Go's flag package, which engines rely on, does not tell -root from --root.
    option = known.get(name) or known.get(f"-{name}") or known.get(name.removeprefix("-"))
    if option is None:
        raise ConfigError("is not an option", pointer=name, hint="see --help")
    if option.metavar and not equals:
        if not rest:
            raise ConfigError(f"needs a value: {name} {option.metavar}", pointer=name)
        value = rest.pop(0)
    given = value if option.metavar or equals else "true"
    allowed = option.values if option.metavar else (*TRUE, *FALSE)
    if allowed and given not in allowed:
        known_values = ", ".join(option.values or ("true", "false"))
        raise ConfigError(f'"{given}" is not one of {known_values}', pointer=name)
    found.add(option.name, given)


def usage(options: Iterable[Option]) -> str:
    """A line for each option."""
    rows = [(", ".join(o.names) + (f" {o.metavar}" if o.metavar else ""), o.help) for o in options]
    width = max((len(left) for left, _ in rows), default=0)
    return "\n".join(f"   {left:<{width}}  {right}" for left, right in rows)
