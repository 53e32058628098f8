"""Nodes of the semantics stage."""

import logging

import numpy as np
import pandas as pd

from msf_kedro.released.texts import check_kinds, check_widths, read_text_files, texts_to_embed
from msf_kedro.tables import to_matrix, to_table
from msf_kedro.texts.encoders import EncoderConfig, check_class_texts, embed, fuse, parse_texts
from msf_kedro.zero_shot.splits import parse_classes

logger = logging.getLogger(__name__)


def embed_texts(
    class_texts: pd.DataFrame, text_files: dict, classes: str, encoder: EncoderConfig
) -> pd.DataFrame:
    """Raw encoder outputs, or given text features, a row per text kind and class."""
    check_class_texts(class_texts)
    numbers = parse_classes(classes)
    given = read_text_files(text_files, numbers)
    for note in given.notes:
        logger.info("text files: %s", note)
    texts = texts_to_embed(class_texts, given, numbers)
    flat = [text for of_class in texts.values() for text in of_class.values()]
    # All texts in one call; none, and the encoder is not even loaded.
    parts = np.split(embed(flat, encoder), len(texts)) if flat else []
    features = given.features | dict(zip(texts, parts, strict=True))
    check_widths(features)
    keys = [
        pd.DataFrame({"texts": kind, "class_id": list(texts.get(kind, numbers))})
        for kind in given.kinds()
    ]
    matrix = np.concatenate([features[kind] for kind in given.kinds()])
    return to_table(pd.concat(keys), matrix, [f"e{i}" for i in range(matrix.shape[1])])


def fuse_texts(text_features: pd.DataFrame, texts: str) -> pd.DataFrame:
    """Fused features of the chosen text kinds, a row per class."""
    check_kinds(text_features.texts.unique().tolist(), parse_texts(texts))
    kinds = [text_features[text_features.texts == kind] for kind in parse_texts(texts)]
    fused = fuse(to_matrix(kind, ["texts", "class_id"]) for kind in kinds)
    return to_table(kinds[0][["class_id"]], fused, [f"e{i}" for i in range(fused.shape[1])])
