"""The only place that sets when Python looks for garbage: a look at all that lives holds every call up meanwhile.

What is no longer used goes at once; the collector only looks for circles, and it looks through all objects for them. Of
those that a process starts with it never finds any, and there are a hundred thousand: 0.1 s for each look.
"""

import gc

YOUNG = 2_000
"""New objects until the newest are looked through, which takes a millisecond or two."""

MIDDLE, OLD = 20, 100
"""Looks at the newest until those are looked through that outlived one, and looks at these until all are."""


def settle() -> None:
    """Takes what the process has started with out of every later look, and has all be looked at seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
