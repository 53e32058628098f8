"""What speaks for a clip's being of a seen class: scores that hold for other classes too.

The gate of kind `evidence` is fitted on them in the calibration phase and applied in the test
phase, where other classes are unseen and more are seen. So they compare a clip's nearest seen class
with its nearest unseen one, and count neither classes nor probabilities. They need no method: the
spaces that they compare in are fitted here in closed form, whatever method classifies clips.
"""

from msf_kedro.evidence.witness import Witness

__all__ = ["Witness"]
