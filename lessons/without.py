"""A step without some of its mechanisms, to see what they were for.

python lessons/without.py uts step1 --hostname web1 -- hostname
python lessons/without.py mounts,devices step3 -- ps
"""

import importlib
import sys

from minirt.stepping.step import main

names, step = sys.argv[1].split(","), importlib.import_module(f"minirt.{sys.argv[2]}").STEP
step.mechanisms = tuple(name for name in step.mechanisms if name not in names)
del sys.argv[1:3]
main(step)
