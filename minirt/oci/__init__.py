"""`minirt-oci`: the command line of an OCI runtime, which engines drive (runc's is the model).

program.py  from the command line to the exit status
parser.py   options before and after the container's id
log.py      errors where engines look for them
bundle.py   config.json of a bundle
call.py     one call: its options, its container
streams.py  descriptors, terminal and sockets that a program gets
notify.py   what it tells a service manager
guard.py    the interpreter, safe from containers
install.py  the launcher; stanzas.py: what to tell the engines
criu/       checkpoint and restore
verbs/      one module a verb, imported only when it is called
"""

import gc

# As in the steps: nothing here makes garbage in cycles, and the collector would look for it again
# and again while modules are loaded.
gc.disable()
