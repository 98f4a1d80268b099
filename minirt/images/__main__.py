"""`python -m minirt.images`: make sure that the embedded image is there and whole."""

from __future__ import annotations

import sys

from minirt.errors import MinirtError, render
from minirt.images.build import ensure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    import argparse

    about = "Make sure that the embedded image is there and whole."
    argparse.ArgumentParser(prog="python -m minirt.images", description=about).parse_args(arguments)
    try:
        ensure()
    except MinirtError as error:
        print(render(error, bold=sys.stderr.isatty()), file=sys.stderr)  # noqa: T201
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
