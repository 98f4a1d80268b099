"""`python -m minirt.oci` is the command `minirt-oci`."""

from minirt.oci.program import main

main()
