"""A micro-VM that runs the command of a container, from the same image: what step 7 compares."""
