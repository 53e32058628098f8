"""Joint layouts: the joints that a device or estimator finds, and how they are connected.

Those in the files beside this module come along; others are given in the same form.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

FILES = (
    *("kinect_v2_25.yml", "kinect_v1_20.yml", "nw_ucla_20.yml", "coco_17.yml", "halpe_26.yml"),
    *("openpose_18.yml", "openpose_25.yml", "mediapipe_33.yml", "human36m_17.yml", "smpl_24.yml"),
)
LAYOUTS = tuple(file.removesuffix(".yml") for file in FILES)
# Metres; clips in other units have no known size, and are scaled by the torso.
UNITS = {
    **{"metres": 1.0, "centimetres": 0.01, "millimetres": 0.001},
    **{"pixels": None, "arbitrary": None},
}
FIELDS = {
    *("source", "dimensions", "units", "axes", "joints", "derived", "centre", "upright", "across")
}
MOST_JOINTS = 1000


@dataclass(frozen=True)
class Layout:
    """The joints of one kind of skeleton.

    Attributes:
        name: of the layout.
        joints: joint names; their order is the joint axis `V` of normalised clips. Those that
            clips hold come first, in the clips' order, the derived ones behind them.
        parents: for each joint, the joint where its bone starts; the root is its own parent.
        derived: for each derived joint, the joints whose mean it is.
        centre: the joint that becomes the origin of every frame.
        upright: two joints, the ends of the torso; in 3-D, the direction from the first to the
            second is turned onto +z.
        across: two joints; in 3-D, the direction from the first to the second is turned onto +x.
        dimensions: 3, or 2 for poses in an image, x to the right and y down.
        units: of coordinates, one of `UNITS`.
        axes: where the origin is and where the axes point, in words.
        source: where the joint order is documented.
    """

    name: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    derived: tuple[tuple[int, ...], ...]
    centre: int
    upright: tuple[int, int]
    across: tuple[int, int]
    dimensions: int
    units: str
    axes: str
    source: str

    @property
    def recorded(self) -> int:
        """How many joints a clip holds."""
        return len(self.joints) - len(self.derived)

    @property
    def metre(self) -> float | None:
        """The factor from the layout's units to metres; None where there is none."""
        return UNITS[self.units]


def get_layout(
    name: str, own: Mapping[str, Mapping[str, Any]] | None = None, units: str | None = None
) -> Layout:
    """The layout of that name.

    Args:
        own: further layouts, by name, in the form of the files beside this module.
        units: the clips', where they are not the layout's.

    Raises:
        ValueError: there is none of that name, or it is not a layout.
    """
    own = own or {}
    if both := sorted(set(own) & set(LAYOUTS)):
        raise ValueError(f"layouts: {both} come along already; give your own another name")
    if name in own:
        layout = parse_layout(name, own[name])
    elif name in LAYOUTS:
        layout = _packaged(name)
    else:
        known = ", ".join([*LAYOUTS, *own])
        raise ValueError(f"unknown joint layout {name!r}; known layouts: {known}")
    return layout if units is None else replace(layout, units=_units(units, layout, "clips.units"))


def layouts_of(joints: int) -> list[str]:
    """Names of the layouts that come along whose clips hold so many joints."""
    return [name for name in LAYOUTS if _packaged(name).recorded == joints]


def parse_layout(name: str, fields: Mapping[str, Any]) -> Layout:
    """A layout from plain values, as YAML has them.

    Args:
        name: the layout's.
        fields: `joints`, joint → parent in the clips' order; `derived`, joint → `{of: joints,
            parent: joint}`, may be missing; `centre`, `upright` and `across`, by names of joints;
            `dimensions`, `units`, and the texts `axes` and `source`.

    Raises:
        ValueError: something is missing or does not fit; names the layout, what was found and what
            was expected.
    """
    where = f"layout {name}"
    if not isinstance(fields, Mapping) or set(fields) | {"derived"} != FIELDS:
        found = sorted(map(str, fields)) if isinstance(fields, Mapping) else fields
        raise ValueError(f"{where}: fields {found}, expected {sorted(FIELDS)} (derived may miss)")
    recorded, derived = _joints(fields["joints"], where), _derived(fields, where)
    joints = [*recorded, *derived]
    if len(set(joints)) < len(joints) or not 1 < len(joints) <= MOST_JOINTS:
        raise ValueError(
            f"{where}: {len(joints)} joints, expected 2 to {MOST_JOINTS} of different names"
        )

    def place(joint: Any, field: str) -> int:
        if joint not in joints:
            raise ValueError(f"{where}: {field} names {joint!r}, which is none of its joints")
        return joints.index(joint)

    def pair(field: str) -> tuple[int, int]:
        named = fields[field]
        if not isinstance(named, list | tuple) or len(named) != 2 or named[0] == named[1]:
            raise ValueError(f"{where}: {field} is {named!r}, expected two joints")
        return place(named[0], field), place(named[1], field)

    parents = [*recorded.values(), *(entry["parent"] for entry in derived.values())]
    layout = Layout(
        name,
        tuple(joints),
        tuple(place(parent, "joints") for parent in parents),
        tuple(tuple(place(joint, "derived") for joint in d["of"]) for d in derived.values()),
        place(fields["centre"], "centre"),
        pair("upright"),
        pair("across"),
        fields["dimensions"],
        fields["units"],
        str(fields["axes"]),
        str(fields["source"]),
    )
    _check(layout, where)
    return layout


def plain(layout: Layout) -> dict[str, Any]:
    """A layout as plain values, which `parse_layout` reads back."""
    name = layout.joints.__getitem__
    parents = {
        joint: name(parent) for joint, parent in zip(layout.joints, layout.parents, strict=True)
    }
    derived = {
        joint: {"of": [name(j) for j in sources], "parent": parents.pop(joint)}
        for joint, sources in zip(layout.joints[layout.recorded :], layout.derived, strict=True)
    }
    return {
        "source": layout.source,
        "dimensions": layout.dimensions,
        "units": layout.units,
        "axes": layout.axes,
        "joints": parents,
        "derived": derived,
        "centre": name(layout.centre),
        "upright": [name(joint) for joint in layout.upright],
        "across": [name(joint) for joint in layout.across],
    }


@cache
def _packaged(name: str) -> Layout:
    import yaml  # the processes that prepare clips do without

    text = Path(__file__).with_name(f"{name}.yml").read_text(encoding="utf-8")
    return parse_layout(name, yaml.safe_load(text))


def _joints(joints: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(joints, Mapping) or not all(isinstance(joint, str) for joint in joints):
        raise ValueError(f"{where}: joints is {str(joints)[:80]}, expected joint: parent for each")
    return joints


def _derived(fields: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    derived = fields.get("derived") or {}
    for joint, entry in derived.items():
        whole = isinstance(entry, Mapping) and set(entry) == {"of", "parent"} and entry["of"]
        if not whole or not set(entry["of"]) <= set(fields["joints"]):
            raise ValueError(
                f"{where}: derived {joint} is {str(entry)[:80]}, expected `of`, a list of joints"
                " that are not derived, and `parent`, a joint"
            )
    return derived


def _check(layout: Layout, where: str) -> None:
    if layout.dimensions not in (2, 3):
        raise ValueError(f"{where}: dimensions is {layout.dimensions!r}, expected 2 or 3")
    _units(layout.units, layout, where)
    roots = [joint for joint, parent in enumerate(layout.parents) if joint == parent]
    reached = set(roots)
    for _ in layout.joints:
        reached |= {joint for joint, parent in enumerate(layout.parents) if parent in reached}
    if len(roots) != 1 or len(reached) < len(layout.joints):
        named = [layout.joints[joint] for joint in roots]
        raise ValueError(
            f"{where}: the joints that are their own parents are {named}, expected one, from which"
            " all others hang"
        )


def _units(units: Any, layout: Layout, where: str) -> str:
    """The units, if they are some that a layout can have."""
    known = [unit for unit, metre in UNITS.items() if layout.dimensions == 3 or metre is None]
    if units not in known:
        raise ValueError(f"{where}: {units!r}, expected units of {', '.join(known)}")
    return units
