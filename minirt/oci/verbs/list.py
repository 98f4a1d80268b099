"""list: the containers of the state directory."""

from __future__ import annotations

from minirt import state as states
from minirt.codec import dumps
from minirt.errors import StateError
from minirt.oci.parser import Option
from minirt.oci.verbs.state import document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from minirt.codec import Json
    from minirt.oci.call import Call

ARGUMENTS = ""
OPTIONS = (
    Option("--format -f", "FORMAT", "table (default) or json", ("table", "json")),
    Option("--quiet -q", "", "only the ids"),
)
COLUMNS = ("id", "pid", "status", "bundle", "created", "owner")


def run(call: Call) -> int:
    form = call.words.text("--format", "table")
    found = list(_documents(call))
    if call.words.on("--quiet"):
        print("".join(f"{entry['id']}\n" for entry in found), end="")
    elif form == "json":
        print(dumps(found))
    else:
        print(table([COLUMNS, *([str(entry[c]) for c in COLUMNS] for entry in found)]))
    return 0


def _documents(call: Call) -> Iterator[dict[str, Json]]:
    for state in states.every(call.root):
        try:
            state.load()
        except StateError as error:  # it goes at this moment, or cannot be read
            call.log.debug(str(error))
            continue
        yield document(state)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they must be, the first row in capitals."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    head, *rest = rows
    lines = [[name.upper() for name in head], *rest]
    return "\n".join(
        "  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
