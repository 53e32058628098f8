"""The node that recognises clips."""

import logging
from pathlib import Path

import pandas as pd

from msf_kedro.recognizer import Recognizer
from msf_kedro.recognizer.bundle import Bundle
from msf_kedro.zero_shot.inference import INDUCTIVE

logger = logging.getLogger(__name__)


def recognise(
    bundle: Bundle,
    clips_to_recognise: dict[str, Path],
    classes_to_recognise: pd.DataFrame,
    device: str,
    inference: str,
) -> pd.DataFrame:
    """A row for every clip, see `Predictions.to_frame`; which is logged too.

    Args:
        classes_to_recognise: among which to decide; without rows, among all that the bundle knows.
        inference: see `Recognizer.predict`.
    """
    recognizer = Recognizer.of(bundle, device)
    classes = classes_to_recognise if len(classes_to_recognise) else None
    predictions = recognizer.predict(clips_to_recognise, classes, inference)
    how = "" if inference == INDUCTIVE else f", {inference}"
    logger.info("%d clips%s\n%s", len(predictions), how, predictions)
    return predictions.to_frame()
