"""`make run`: the seven steps, one after the other, each with a command that shows its mechanism.

demos.py   what each step runs, and what its output must show
show.py    one step: before, the container, after; its verdict
"""
