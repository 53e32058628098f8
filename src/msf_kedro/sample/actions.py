"""The sample's actions, by their NTU RGB+D 120 numbers, each composed of shared movements."""

from dataclasses import dataclass

from msf_kedro.sample.movements import (
    AFTER,
    BEFORE,
    Movement,
    bend_knees,
    bend_torso,
    circle_hand,
    hand_between,
    hand_to,
    hand_to_point,
    jump,
    lean_torso,
    nod_head,
    span,
    swing_hand,
    swing_leg,
    turn_around,
    twist_torso,
    walk,
)


@dataclass(frozen=True)
class Action:
    """How an action is done.

    Attributes:
        name: its label in the class text table, for people who read this file.
        seconds: duration for a performer of average speed.
        movements: what the person does, right-handed.
        partner: what a second person, facing the first, does.
        distance: metres between the two at the start; 0 if there is only one person.
        mirrored: whether left-handed people do it the other way round.
    """

    name: str
    seconds: float
    movements: Movement
    partner: Movement = ()
    distance: float = 0.0
    mirrored: bool = True

    @property
    def people(self) -> int:
        """How many people a clip shows."""
        return 2 if self.distance else 1


_WHOLE = span(0.08, 0.92, 0.22)
_LONG = span(0.05, 0.95, 0.15)
_BURST = (0.25, 0.45, 0.52, 0.75)
_STRUCK = (0.42, 0.56, 0.65, 0.95)
_SEATED = (
    *bend_knees(0.42, (BEFORE, BEFORE + 0.5, 0.3, 0.75), back=0.38),
    *hand_to("thigh", (BEFORE, BEFORE + 0.5, 0.35, 0.75), "rl"),
)
_SITS = (
    *bend_knees(0.42, (0.25, 0.7, AFTER, AFTER + 1), back=0.38),
    *hand_to("thigh", (0.25, 0.65, AFTER, AFTER + 1), "rl"),
)
_RUNNING_ARMS = (
    *hand_to("front low", span(0.0, 1.0, 0.1), "rl"),
    *swing_hand((0, 0.06, 0.15), 4, span(0.0, 1.0, 0.1), "rl", alternate=True),
)
_SHAKES_HAND = (
    *hand_to_point((0, 1.02, 0.42), span(0.08, 0.92, 0.25)),
    *swing_hand((0, 0.05, 0), 3, span(0.3, 0.7, 0.1)),
)
_SLAPS_HAND = hand_to_point((0, 1.72, 0.40), (0.1, 0.42, 0.5, 0.88))

ACTIONS: dict[int, Action] = {
    1: Action(
        "drink water",
        2.3,
        (*hand_to("mouth", _WHOLE, elbow=0.2), *nod_head(-22, (0.32, 0.45, 0.62, 0.75))),
    ),
    2: Action(
        "eat meal",
        2.6,
        (
            *hand_between("belly", "mouth", 3, _LONG),
            *hand_to("belly", _LONG, "l"),
            *nod_head(12, _LONG),
        ),
    ),
    3: Action(
        "brush teeth",
        2.3,
        (*hand_to("mouth", _LONG, elbow=0.4), *swing_hand((0.045, 0, 0), 7, _LONG)),
    ),
    6: Action(
        "pick up",
        2.0,
        (
            *bend_torso(70, span(0.1, 0.9, 0.38)),
            *bend_knees(0.20, span(0.1, 0.9, 0.38)),
            *hand_to_point((0.08, 0.10, 0.38), (0.12, 0.45, 0.52, 0.9)),
            *hand_to("hanging", span(0.1, 0.9, 0.38), "l"),
        ),
    ),
    7: Action(
        "throw",
        1.8,
        (
            *hand_to("behind head", (0.08, 0.38, 0.42, 0.55), elbow=0.5),
            *hand_to("front", (0.42, 0.55, 0.65, 0.92)),
            *twist_torso(25, (0.08, 0.38, 0.42, 0.55)),
            *twist_torso(-20, (0.42, 0.55, 0.65, 0.92)),
            *bend_torso(15, (0.42, 0.55, 0.65, 0.92)),
        ),
    ),
    8: Action("sit down", 1.9, (*_SITS, *bend_torso(38, (0.2, 0.45, 0.5, 0.85)))),
    9: Action("stand up", 1.9, (*_SEATED, *bend_torso(38, (0.1, 0.35, 0.45, 0.8)))),
    10: Action("clapping", 2.0, hand_between("chest open", "chest", 6, _LONG, "rl")),
    22: Action(
        "cheer up",
        2.0,
        (
            *hand_to("overhead", _LONG, "rl"),
            *swing_hand((0, 0.12, 0), 4, _LONG, "rl"),
            *jump(0.08, 4, _LONG),
        ),
    ),
    23: Action(
        "hand waving", 2.0, (*hand_to("beside head", _LONG), *swing_hand((0.15, 0, 0), 4, _LONG))
    ),
    24: Action(
        "kicking something",
        1.7,
        (
            *swing_leg((0, 0.16, -0.28), (0.1, 0.3, 0.32, 0.48)),
            *swing_leg((0, 0.42, 0.68), (0.33, 0.5, 0.55, 0.85)),
            *bend_torso(-10, (0.33, 0.5, 0.55, 0.85)),
        ),
    ),
    26: Action(
        "hopping",
        2.0,
        (
            *swing_leg((0, 0.26, -0.22), span(0.02, 0.98, 0.12), "l"),
            *jump(0.13, 4, span(0.1, 0.9, 0.05)),
            *bend_knees(0.05, span(0.02, 0.98, 0.12)),
        ),
    ),
    27: Action(
        "jump up",
        1.8,
        (
            *bend_knees(0.22, (0.1, 0.3, 0.32, 0.42)),
            *bend_torso(30, (0.1, 0.3, 0.32, 0.45)),
            *jump(0.32, 0.5, (0.36, 0.37, 0.68, 0.7)),
            *hand_to("overhead", (0.25, 0.45, 0.55, 0.8), "rl"),
            *bend_knees(0.16, (0.66, 0.74, 0.76, 0.95)),
        ),
    ),
    28: Action("phone call", 2.4, (*hand_to("ear", span(0.05, 0.95)), *lean_torso(4, _WHOLE))),
    31: Action("point to something", 1.9, hand_to("front", _WHOLE)),
    33: Action(
        "check time", 2.0, (*hand_to("watch", _WHOLE, "l", elbow=0.3), *nod_head(28, _WHOLE))
    ),
    34: Action(
        "rub two hands",
        2.2,
        (
            *hand_to("chest", _LONG, "rl"),
            *swing_hand((0, 0.02, 0.06), 6, _LONG, "rl", alternate=True),
        ),
    ),
    35: Action(
        "nod head", 2.0, (*nod_head(38, _LONG, "pulse", 3), *bend_torso(14, _LONG, "pulse", 3))
    ),
    38: Action("salute", 1.9, hand_to("forehead", _WHOLE, elbow=0.9)),
    39: Action("put palms together", 2.0, hand_to("chest near", _WHOLE, "rl", elbow=0.4)),
    40: Action("cross hands in front", 1.9, hand_to("chest crossed", _WHOLE, "rl", elbow=0.2)),
    44: Action(
        "touch head (headache)",
        2.3,
        (*hand_to("crown", _WHOLE, elbow=0.6), *nod_head(20, _WHOLE), *bend_torso(12, _WHOLE)),
    ),
    80: Action(
        "squat down",
        2.1,
        (
            *bend_knees(0.48, span(0.1, 0.9, 0.3), back=0.12),
            *bend_torso(25, span(0.1, 0.9, 0.3)),
            *hand_to("front", span(0.1, 0.9, 0.3), "rl"),
        ),
    ),
    93: Action(
        "shake fist", 1.9, (*hand_to("front high", _LONG), *swing_hand((0, 0.05, 0.13), 4, _LONG))
    ),
    95: Action("hands up", 2.0, hand_to("overhead", _WHOLE, "rl")),
    96: Action("cross arms", 2.1, hand_to("other elbow", _WHOLE, "rl")),
    97: Action("arm circles", 2.4, (*hand_to("side", _LONG, "rl"), *circle_hand(0.24, 3, _LONG))),
    98: Action("arm swings", 2.3, hand_between("side", "front inside", 3, _LONG, "rl")),
    99: Action(
        "run on the spot",
        2.0,
        (
            *_RUNNING_ARMS,
            *swing_leg((0, 0.32, 0.12), span(0.0, 1.0, 0.1), "rl", "beat", 4),
            *jump(0.04, 8, span(0.0, 1.0, 0.1)),
        ),
    ),
    100: Action(
        "butt kicks",
        2.0,
        (
            *_RUNNING_ARMS,
            *swing_leg((0, 0.48, -0.34), span(0.0, 1.0, 0.1), "rl", "beat", 4),
            *jump(0.04, 8, span(0.0, 1.0, 0.1)),
        ),
    ),
    101: Action(
        "cross toe touch",
        2.5,
        (
            *swing_leg((0.22, 0, 0), (BEFORE, BEFORE + 0.5, AFTER, AFTER + 1), "r"),
            *swing_leg((0.22, 0, 0), (BEFORE, BEFORE + 0.5, AFTER, AFTER + 1), "l"),
            *hand_to("side", span(0.0, 1.0, 0.15), "rl"),
            *bend_torso(85, (0.1, 0.12, 0.9, 0.92), "pulse", 2),
            *twist_torso(-25, (0.1, 0.12, 0.9, 0.92), "sine", 1),
            *hand_to_point((-0.28, 0.14, 0.16), (0.14, 0.3, 0.3, 0.48), "r"),
            *hand_to_point((-0.28, 0.14, 0.16), (0.52, 0.7, 0.7, 0.86), "l"),
        ),
    ),
    102: Action(
        "side kick",
        1.9,
        (
            *swing_leg((0.62, 0.52, 0.08), (0.2, 0.45, 0.52, 0.8)),
            *lean_torso(-24, (0.2, 0.45, 0.52, 0.8)),
            *hand_to("shoulder front", _WHOLE, "rl"),
        ),
    ),
    104: Action(
        "stretch oneself",
        2.5,
        (
            *hand_to("overhead", _WHOLE, "rl"),
            *bend_torso(-12, _WHOLE),
            *lean_torso(18, _WHOLE, "sine", 1),
        ),
    ),
    50: Action(
        "punch other person",
        1.7,
        (
            *hand_to("shoulder front", (0.05, 0.22, 0.28, 0.42)),
            *hand_to_point((-0.10, 1.50, 0.80), (0.28, 0.45, 0.5, 0.72)),
            *twist_torso(-25, _BURST),
            *bend_torso(10, _BURST),
        ),
        (*bend_torso(-14, _STRUCK), *nod_head(-15, _STRUCK), *walk(-0.22, 2, 0.42, 0.85)),
        0.85,
    ),
    51: Action(
        "kick other person",
        1.8,
        (
            *swing_leg((0, 0.16, -0.24), (0.1, 0.27, 0.28, 0.42)),
            *swing_leg((-0.08, 0.50, 0.72), (0.28, 0.46, 0.5, 0.78)),
            *bend_torso(-12, _BURST),
        ),
        (*bend_torso(22, _STRUCK), *hand_to("belly", _STRUCK, "rl"), *walk(-0.2, 2, 0.42, 0.85)),
        1.05,
    ),
    52: Action(
        "push other person",
        1.8,
        (
            *hand_to("shoulder front", (0.05, 0.25, 0.3, 0.45), "rl"),
            *hand_to_point((0.12, 1.28, 0.62), (0.28, 0.45, 0.55, 0.8), "rl"),
            *bend_torso(16, _BURST),
        ),
        (*bend_torso(-14, _STRUCK), *walk(-0.4, 3, 0.4, 0.9)),
        0.75,
    ),
    54: Action(
        "point finger at other person", 2.0, hand_to("front", _WHOLE), nod_head(6, _WHOLE), 1.2
    ),
    55: Action(
        "hugging other person",
        2.5,
        (*walk(0.44, 2, 0.05, 0.45), *hand_to("embrace", (0.15, 0.5, 0.95, 1.3), "rl")),
        (*walk(0.44, 2, 0.05, 0.45), *hand_to("embrace low", (0.2, 0.52, 0.95, 1.3), "rl")),
        1.15,
    ),
    56: Action(
        "give object to other person",
        2.1,
        hand_to_point((-0.03, 1.08, 0.45), span(0.08, 0.78, 0.3)),
        (
            *hand_to_point((-0.03, 1.08, 0.40), (0.3, 0.48, 0.6, 0.75)),
            *hand_to("belly", (0.55, 0.75, AFTER, AFTER + 1)),
        ),
        0.9,
    ),
    58: Action("shaking hands", 2.2, _SHAKES_HAND, _SHAKES_HAND, 0.85, mirrored=False),
    59: Action(
        "walking towards each other", 2.3, walk(0.95, 4, 0.04, 0.96), walk(0.95, 4, 0.04, 0.96), 2.8
    ),
    60: Action(
        "walking apart",
        2.6,
        (*turn_around(180, (0.0, 0.0, 0.0, 0.35)), *walk(1.0, 4, 0.3, 1.0)),
        (*turn_around(-180, (0.0, 0.0, 0.0, 0.35)), *walk(1.0, 4, 0.3, 1.0)),
        0.8,
    ),
    112: Action("high-five", 1.9, _SLAPS_HAND, _SLAPS_HAND, 0.82, mirrored=False),
}
