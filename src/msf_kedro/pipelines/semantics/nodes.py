"""Nodes of the semantics stage."""

import numpy as np
import pandas as pd

from msf_kedro.semantics import (
    TEXT_COLUMNS,
    EncoderConfig,
    check_class_texts,
    embed,
    fuse,
    parse_texts,
)
from msf_kedro.tables import to_matrix, to_table


def embed_texts(class_texts: pd.DataFrame, encoder: EncoderConfig) -> pd.DataFrame:
    """Raw encoder outputs, a row per text kind and class."""
    check_class_texts(class_texts)
    texts = [text for column in TEXT_COLUMNS.values() for text in class_texts[column]]
    keys = pd.DataFrame(
        {
            "texts": np.repeat(list(TEXT_COLUMNS), len(class_texts)),
            "class_id": np.tile(class_texts.class_id, len(TEXT_COLUMNS)),
        }
    )
    features = embed(texts, encoder)
    return to_table(keys, features, [f"e{i}" for i in range(features.shape[1])])


def fuse_texts(text_features: pd.DataFrame, texts: str) -> pd.DataFrame:
    """Fused features of the chosen text kinds, a row per class."""
    kinds = [text_features[text_features.texts == kind] for kind in parse_texts(texts)]
    fused = fuse(to_matrix(kind, ["texts", "class_id"]) for kind in kinds)
    return to_table(kinds[0][["class_id"]], fused, [f"e{i}" for i in range(fused.shape[1])])
