"""What the course's programs have in common: `python -m minirt.step1` to `step7`.

parser.py   a small command-line parser
options.py  the options, each with the step that brings it
request.py  options -> configuration (config.json)
mounts.py   the mounts of it
streams.py  the program's own input and output
step.py     one step, run: a container, its trace, its exit status
"""

import gc

# The collector would search the growing heap again and again while modules are loaded, for 1.5 ms
# in all, and find nothing: these programs make no garbage in cycles, and end soon.
gc.disable()
