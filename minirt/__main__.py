"""`python -m minirt` is the command `minirt`."""

import sys

from minirt.cli import main

sys.exit(main())
