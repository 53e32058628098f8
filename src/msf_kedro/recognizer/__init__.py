"""Recognise actions in any clips, among classes that were trained on or are described in words.

    recognizer = Recognizer.load("bundle")
    recognizer.describe({"bow": "To bend the upper body forward in order to show respect."})
    for prediction in recognizer.predict("clips"):
        ...

All it needs is a bundle, the folder that `kedro run --pipelines=bundle` writes; it needs no Kedro.
"""

from msf_kedro.recognizer.predictions import Prediction, Predictions
from msf_kedro.recognizer.recognizer import Recognizer

__all__ = ["Prediction", "Predictions", "Recognizer"]
