"""Starting without looking for garbage: it makes a million objects that stay."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Inside, Python does not look for garbage; what was made there is not looked at again.

    Imports and syntax trees make so many objects that Python would go through all of them dozens
    of times: a third of the time that a run without changes takes.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
