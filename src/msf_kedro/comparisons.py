"""Stub."""

import pandas as pd


def published_table(published: dict) -> pd.DataFrame:
    """Stub."""
    return pd.DataFrame({"source": []})
