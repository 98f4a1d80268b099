"""`minirt-oci`: the command line of an OCI runtime, which engines drive (runc's is the model).

program.py  from the command line to the exit status
parser.py   options before and after the container's id
log.py      errors where engines look for them
bundle.py   config.json of a bundle
handle.py   a container of the state directory, locked and loaded
verbs/      one module a verb, imported only when it is called
"""
