"""Starting without looking for garbage: it makes a million objects that stay."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Inside, Python does not look for garbage; what the first one makes is not looked at again.

    Imports and syntax trees make so many objects that Python would go through all of them dozens
    of times: a third of the time that a run without changes takes. What later ones make can be
    garbage of a long session, such as a notebook's, and must not stay for ever.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():
            gc.freeze()
        gc.enable()
