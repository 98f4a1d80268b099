"""One file per mechanism: what each asks of the kernel, and nothing else."""
