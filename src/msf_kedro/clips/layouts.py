"""Joint layouts as data: the joints that a recording device tracks and how they are connected."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """The joints of one kind of skeleton.

    Attributes:
        joints: joint names; their order is the joint axis `V` of every clip.
        parents: for each joint, the joint where its bone starts; a root is its own parent.
        centre: the joint that becomes the origin of every frame.
        upright: two joints; the direction from the first to the second is turned onto +z.
        across: two joints; the direction from the first to the second is turned onto +x.
    """

    joints: tuple[str, ...]
    parents: tuple[int, ...]
    centre: int
    upright: tuple[int, int]
    across: tuple[int, int]


# The bone pairs of Shift-GCN's code, counted from 0: a child's position holds its parent.
KINECT_V2_25 = Layout(
    joints=(
        *("spine base", "spine middle", "neck", "head"),
        *("left shoulder", "left elbow", "left wrist", "left hand"),
        *("right shoulder", "right elbow", "right wrist", "right hand"),
        *("left hip", "left knee", "left ankle", "left foot"),
        *("right hip", "right knee", "right ankle", "right foot"),
        *("spine shoulder", "left hand tip", "left thumb", "right hand tip", "right thumb"),
    ),
    parents=(
        *(1, 20, 20, 2),
        *(20, 4, 5, 6),
        *(20, 8, 9, 10),
        *(0, 12, 13, 14),
        *(0, 16, 17, 18),
        *(20, 22, 7, 24, 11),
    ),
    centre=1,
    upright=(0, 1),
    across=(4, 8),
)

KINECT_V1_20 = Layout(
    joints=(
        *("head", "shoulder centre", "spine", "hip centre"),
        *("left shoulder", "left elbow", "left wrist", "left hand"),
        *("right shoulder", "right elbow", "right wrist", "right hand"),
        *("left hip", "left knee", "left ankle", "left foot"),
        *("right hip", "right knee", "right ankle", "right foot"),
    ),
    parents=(*(1, 1, 1, 2), *(1, 4, 5, 6), *(1, 8, 9, 10), *(3, 12, 13, 14), *(3, 16, 17, 18)),
    centre=2,
    upright=(3, 2),
    across=(4, 8),
)

LAYOUTS = {"kinect_v2_25": KINECT_V2_25, "kinect_v1_20": KINECT_V1_20}


def get_layout(name: str) -> Layout:
    """The layout of that name.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in LAYOUTS:
        raise ValueError(f"unknown joint layout {name!r}; known layouts: {', '.join(LAYOUTS)}")
    return LAYOUTS[name]
