"""One module a verb: ARGUMENTS, OPTIONS and run(call), which returns the exit status."""
