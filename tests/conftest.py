"""Set-up of all tests: one thread, no network, reproducible hypothesis without deadlines."""

import os
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # read when huggingface_hub is imported

import pytest
import torch
from hypothesis import settings
from support.storages import s3, storage

__all__ = ["s3", "storage"]

torch.set_num_threads(1)
settings.register_profile("tests", deadline=None, derandomize=True, max_examples=25)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "tests"))

UTD_MHAD = Path(__file__).parents[2] / "shared" / "data" / "utd_mhad"


def pytest_collection_modifyitems(items):
    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker("gpu"):
                item.add_marker(pytest.mark.skip(reason="no CUDA device"))


@pytest.fixture(autouse=True, scope="session")
def unflushed():
    """Tests outlive no power failure: nothing waits for the disk, but in processes of their own."""
    patch = pytest.MonkeyPatch()
    patch.setattr("msf_kedro.runner.files._flush", lambda path: None)
    yield
    patch.undo()


@pytest.fixture(scope="session")
def utd_mhad() -> Path:
    """The folder of the UTD-MHAD skeleton files."""
    if not UTD_MHAD.is_dir():
        pytest.skip(f"no UTD-MHAD data in {UTD_MHAD}")
    return UTD_MHAD


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> tuple:
    """The data root of a whole run of the test study, never to be written to, and its log."""
    from support.sessions import Log, run  # bootstraps the project: only for tests that run it

    root = tmp_path_factory.mktemp("finished")
    with Log() as log:
        run(root, "gzssar")
    return root, log
