"""Starting does not look for garbage, and leaves Python as it was."""

import gc

import pytest

from msf_kedro.runner.uncollected import uncollected


@pytest.fixture(autouse=True)
def as_before():
    yield
    gc.unfreeze()
    gc.enable()


def test_inside_nothing_is_collected_and_afterwards_again():
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_was_made_inside_the_first_is_not_looked_at_again():
    gc.unfreeze()
    with uncollected():
        made = [[] for _ in range(1000)]
    assert (frozen := gc.get_freeze_count()) >= len(made)
    with uncollected():
        again = [[] for _ in range(1000)]
    assert gc.get_freeze_count() <= frozen
    assert len(again) == len(made)


def test_an_error_leaves_python_as_it_was():
    with pytest.raises(ValueError, match="broken"), uncollected():
        raise ValueError("broken")
    assert gc.isenabled()


def test_who_has_turned_it_off_keeps_it_off():
    """Also one inside another: the outer one decides."""
    with uncollected():
        with uncollected():
            pass
        assert not gc.isenabled()
    gc.disable()
    with uncollected():
        pass
    assert not gc.isenabled()
