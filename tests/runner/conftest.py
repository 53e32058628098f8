"""Runs in processes of their own."""

import sys

import pytest


@pytest.fixture(scope="session")
def launcher(tmp_path_factory):
    """Starts runs that can be killed."""
    if not sys.platform.startswith("linux"):
        pytest.skip("looks at processes in /proc")
    from support.launched import Launcher  # bootstraps the project

    found = Launcher(tmp_path_factory.mktemp("runs"))
    yield found
    found.stop()
