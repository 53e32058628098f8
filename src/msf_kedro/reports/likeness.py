"""Which seen classes an unseen one resembles: by its words, and by its clips."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from msf_kedro.reports.shown import Classes
from msf_kedro.texts.fusion import Texts

MOST = 3


@dataclass(frozen=True)
class Likeness:
    """The seen classes that an unseen one resembles most.

    Attributes:
        label: the unseen class.
        by_texts: label and cosine of the two classes' fused texts.
        by_clips: label, and the percent of the unseen class's clips for which the seen classifier
            takes it.
        own: percent of the clips that the classifier of the unseen classes has right.
    """

    label: str
    by_texts: list[tuple[str, float]]
    by_clips: list[tuple[str, float]]
    own: float


def likenesses(predictions: pd.DataFrame, texts: Texts, classes: Classes) -> list[Likeness]:
    """All unseen classes.

    Args:
        predictions: of one protocol and gate.
        texts: of the seen classes and the unseen ones.
    """
    rows = texts.fused().numpy()
    place = {class_id: n for n, class_id in enumerate(texts.class_ids)}
    seen = [n for n in classes.seen if n in place]
    found = []
    for class_id, label in classes.unseen.items():
        cosines = rows[[place[n] for n in seen]] @ rows[place[class_id]]
        nearest = np.argsort(-cosines, kind="stable")[:MOST]
        clips = predictions[predictions.class_id == class_id]
        taken = clips.seen_prediction.value_counts(normalize=True).head(MOST)
        found.append(
            Likeness(
                label,
                [(classes.seen[seen[n]], float(cosines[n])) for n in nearest],
                [(classes.seen[int(n)], 100 * float(part)) for n, part in taken.items()],
                100 * float((clips.unseen_prediction == class_id).mean()) if len(clips) else 0.0,
            )
        )
    return found
