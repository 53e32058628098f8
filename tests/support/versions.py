"""Versions of an artifact, as every dataset that has some must keep them."""

from typing import Any

import pytest
from kedro.io import DatasetError, Version

from support.sessions import assert_equal

OLD, NEW = "2026-01-01T00.00.00.000Z", "2026-01-02T00.00.00.000Z"


def save_and_load_versions(kind: type, path: str, data: Any) -> None:
    """Save two versions; each comes back by its name, the newest without one, none is replaced."""
    assert not kind(path, version=Version(None, OLD)).exists()
    for version in (OLD, NEW):
        kind(path, version=Version(None, version)).save(data)
    assert_equal(kind(path, version=Version(OLD, None)).load(), data)
    newest = kind(path, version=Version(None, None))
    assert newest.resolve_load_version() == NEW
    assert newest.exists()
    with pytest.raises(DatasetError, match=NEW):
        kind(path, version=Version(None, NEW)).save(data)
