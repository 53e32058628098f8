"""Which layouts fit."""

import numpy as np
import pytest
from support.poses import coco_clip

from msf_kedro.clips.layouts import get_layout
from msf_kedro.clips.normalise import NormaliseConfig
from msf_kedro.sample import generate_clip
from msf_kedro.studies.skeletons import fitting, why_none

CONFIG = NormaliseConfig(16, True, min_confidence=0.3, max_missing=0.5)
KINECT = generate_clip(1, 1, 1, seed=0)
COCO = coco_clip(1, 1, 1)


def found(clip: np.ndarray) -> list[tuple[str, str | None]]:
    return [(fit.layout, fit.units) for fit in fitting([clip, clip], CONFIG)]


@pytest.mark.parametrize(
    ("clip", "expected"),
    [
        (KINECT, [("kinect_v2_25", None)]),
        (KINECT * 1000, [("kinect_v2_25", "millimetres")]),
        (COCO, [("coco_17", None)]),
        (COCO[..., :2], [("coco_17", None)]),
        (COCO * np.float32([1 / 1080, 1 / 1080, 1]), [("coco_17", None)]),
        (COCO[:, :, [*range(17), 0, 5, 11, *range(15, 17)] + [15] * 4], [("halpe_26", None)]),
    ],
    ids=["metres", "millimetres", "pixels", "no confidence", "heights", "other joints"],
)
def test_joints_values_and_sizes_tell(clip, expected):
    assert found(clip) == expected


def test_of_two_layouts_that_fit_that_of_shorter_bones_comes_first():
    """Kinect v1's joints, of which NW-UCLA lists as many in another order."""
    names, both = get_layout("kinect_v2_25").joints, {"kinect_v1_20", "nw_ucla_20"}
    other = {"hip centre": "spine base", "spine": "spine middle"}
    other["shoulder centre"] = "spine shoulder"
    for layout in both:
        order = [names.index(other.get(joint, joint)) for joint in get_layout(layout).joints]
        fits = found(KINECT[:, :, order])
        assert {name for name, _ in fits} == both
        assert fits[0][0] == layout


def test_clips_that_fit_nothing_are_described():
    assert "21 joints of 3 values, and no layout that comes along" in why_none(
        [KINECT[:, :, :21]], CONFIG
    )
    assert "17 joints of 3 values, 25 joints of 3 values, expected the same in all" in why_none(
        [KINECT, COCO], CONFIG
    )
    assert "; kinect_v2_25 does not fit: no body in any frame" in why_none([KINECT * 0], CONFIG)
    assert fitting([KINECT[:, :, :21]], CONFIG) == []
