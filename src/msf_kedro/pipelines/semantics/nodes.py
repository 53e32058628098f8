"""Nodes of the semantics stage."""

import logging

import numpy as np
import pandas as pd

from msf_kedro.released.texts import check_widths, read_text_files, texts_to_embed
from msf_kedro.texts.class_texts import check_class_texts
from msf_kedro.texts.encoders import embed, get_encoder
from msf_kedro.texts.fusion import NAMES, TEXT_COLUMNS
from msf_kedro.texts.named import NAMED, named
from msf_kedro.zero_shot.splits import parse_classes

logger = logging.getLogger(__name__)


def embed_texts(
    class_texts: pd.DataFrame, text_files: dict, classes: str, encoders: dict, encoder: str
) -> pd.DataFrame:
    """The encoder's raw outputs, or given text features, a row per text kind and class.

    Beside them, what the class's text of this kind names in plain words; where features are
    given, the text is the class text table's.
    """
    check_class_texts(class_texts)
    numbers = parse_classes(classes)
    given = read_text_files(text_files, numbers)
    for note in given.notes:
        logger.info("text files: %s", note)
    texts = texts_to_embed(class_texts, given, numbers)
    flat = [text for of_class in texts.values() for text in of_class.values()]
    # All texts in one call; none, and the encoder is not even loaded.
    parts = np.split(embed(flat, get_encoder(encoders, encoder)), len(texts)) if flat else []
    features = given.features | dict(zip(texts, parts, strict=True))
    check_widths(features)
    tables = {
        kind: pd.DataFrame(
            features[kind], index=pd.Index(list(texts.get(kind, numbers)), name="class_id")
        ).add_prefix("e")
        for kind in given.kinds()
    }
    joined = pd.concat(tables, names=["kind"])
    words = class_texts.set_index("class_id")
    read = [
        texts[kind][number] if kind in texts else words.loc[number, TEXT_COLUMNS[kind]]
        for kind, number in joined.index
    ]
    return joined.join(pd.DataFrame(named(read), joined.index, NAMED).add_prefix(NAMES))
