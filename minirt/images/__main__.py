"""`python -m minirt.images`: make sure that the embedded image is there and whole."""

from __future__ import annotations

import sys

from minirt.errors import MinirtError, render
from minirt.images.build import ensure


def main() -> int:
    try:
        ensure()
    except MinirtError as error:
        print(render(error, bold=sys.stderr.isatty()), file=sys.stderr)  # noqa: T201
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
