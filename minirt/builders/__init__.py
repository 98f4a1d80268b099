"""One function per mechanism: what of a Spec it takes; None where the spec does not ask for it.

Each imports its mechanism only then: what is not in a plan costs nothing, not even an import.
"""
