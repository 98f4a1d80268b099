"""docs/oci-reference.md, made of the tables that the command line is read by.

`python -m minirt.oci.reference > docs/oci-reference.md` writes it; a test compares the two.
"""

from __future__ import annotations

import sys

from minirt.oci.call import GLOBAL
from minirt.oci.program import VERBS, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from minirt.oci.parser import Option

HEAD = """\
# `minirt-oci`: verbs and options

Made by `python -m minirt.oci.reference` of the tables that the program itself reads. How to use it
with engines: [oci.md](oci.md).

    minirt-oci [global options] VERB [options] [arguments]

Options stand before or after the container's id, as `--name value` or `--name=value`. Errors go to
standard error and to `--log`; the exit status is then 1, or 255 for `exec`. `run`, `exec` and
`restore` in the foreground end with the program's own status, 128 + N where signal N ended it.

## Global options
"""


def lines() -> Iterator[str]:
    """The page, line by line."""
    yield HEAD
    yield from table(GLOBAL)
    for name, purpose in VERBS.items():
        module = load(name)
        yield f"\n## {name}\n"
        yield f"{purpose[0].upper()}{purpose[1:]}.\n"
        yield f"    minirt-oci {name} [options] {module.ARGUMENTS}".rstrip()
        if module.OPTIONS:
            yield ""
            yield from table(module.OPTIONS)


def table(options: Iterable[Option]) -> Iterator[str]:
    yield "| option | what it does |"
    yield "|---|---|"
    for option in options:
        metavar = f" {option.metavar}" if option.metavar else ""
        names = ", ".join(f"`{name}`" for name in (*option.names[:-1], option.names[-1] + metavar))
        yield f"| {names} | {option.help.replace('|', chr(92) + '|')} |"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in lines())
