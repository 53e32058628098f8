"""Clips in long form, a row for each joint of each body in each frame: CSV or parquet."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from jaxtyping import Float, Int

from msf_kedro.clips.layouts import MOST_JOINTS
from msf_kedro.clips.limits import Limits

NUMBERS = {"frame": pa.int64(), "joint": pa.int64()} | dict.fromkeys("xyz", pa.float64())
NUMBERS |= {"confidence": pa.float64()}
NEEDED = ("frame", "joint", "x", "y")
BYTES_OF_A_ROW = 8  # at least, also in a compressed file


class Rows:
    """The clips of a table.

    Attributes:
        joints: of a clip: one more than the largest number of the table's.
    """

    def __init__(self, table: pa.Table, alone: str, name: str):
        self._name = name
        self._columns = {c: _values(table, c, name) for c in NUMBERS if c in table.column_names}
        self._bodies = _texts(table, "body", "0", name)
        names = _texts(table, "clip", alone, name)
        order = np.argsort(names, kind="stable")
        starts = np.flatnonzero(np.append(True, names[order][1:] != names[order][:-1]))
        self._rows = dict(
            zip(names[order[starts]].tolist(), np.split(order, starts[1:]), strict=True)
        )
        joints = self._columns["joint"]
        self.joints = int(joints.max()) + 1
        if joints.min() < 0 or self.joints > MOST_JOINTS:
            raise ValueError(
                f"{name}: joints {joints.min()} to {joints.max()}, expected numbers from 0, at most"
                f" {MOST_JOINTS - 1}"
            )

    @property
    def names(self) -> list[str]:
        """The clips' names."""
        return list(self._rows)

    def read(self, clip: str, limits: Limits) -> Float[np.ndarray, "M T V C"]:
        """One clip: x, y, z if there is one, confidence if there is one.

        Bodies are in the order of their numbers or names. A joint without a row is not a number in
        the frames that hold its body; a body is all zeros in the others.

        Raises:
            ValueError: a joint has two rows in a frame, or the clip goes beyond the limits.
        """
        where = f"{self._name}: clip {clip}"
        rows = self._rows[clip]
        frames, joints = self._columns["frame"][rows], self._columns["joint"][rows]
        bodies = _numbered(self._bodies[rows])
        first, last = int(frames.min()), int(frames.max())
        limits.check(where, frames=last - first + 1, bodies=int(bodies.max()) + 1)
        channels = [c for c in ("x", "y", "z", "confidence") if c in self._columns]
        shape = (int(bodies.max()) + 1, last - first + 1, self.joints)
        limits.check(where, size=int(np.prod(shape)) * len(channels) * 4)
        places = np.ravel_multi_index((bodies, frames - first, joints), shape)
        if len(np.unique(places)) < len(places):
            raise ValueError(f"{where}: a joint of a body has more than one row in a frame")
        clip_of = np.full((np.prod(shape), len(channels)), np.nan, np.float32)
        with np.errstate(over="ignore"):  # infinity, which `check_clip` finds
            clip_of[places] = np.stack([self._columns[c][rows] for c in channels], axis=1)
        held = np.zeros(shape[:2], bool)
        held[bodies, frames - first] = True
        return np.where(
            held[..., None, None], clip_of.reshape(*shape, len(channels)), np.float32(0)
        )


def read_rows(content: bytes, alone: str, name: str, limit: int) -> Rows:
    """Read a table of clips: columns `frame`, `joint`, `x`, `y`, and more.

    `joint` counts from 0 in the layout's order. `clip` is the clip's name, or the file has one;
    `body` tells people apart, or there is one; `z` and `confidence` may be there. Further columns
    are not read.

    Args:
        content: the file's, parquet or CSV.
        alone: name of the clip of a file without column `clip`.
        name: what to call the file in errors.
        limit: largest accepted number of bytes.

    Raises:
        ValueError: it is no such table; names the file.
    """
    try:
        if content[:4] == b"PAR1":
            file = pyarrow.parquet.ParquetFile(io.BytesIO(content))
            if file.metadata.num_rows > limit // BYTES_OF_A_ROW:
                raise ValueError(
                    f"{name}: {file.metadata.num_rows:,} rows, accepted are"
                    f" {limit // BYTES_OF_A_ROW:,}; raise max_bytes in the catalog"
                )
            wanted = [c for c in ("clip", "body", *NUMBERS) if c in file.schema_arrow.names]
            table = file.read(columns=wanted)
        else:
            table = pyarrow.csv.read_csv(io.BytesIO(content))
        found = table.column_names
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{name}: neither parquet nor CSV ({str(error)[:120]})") from error
    missing = [column for column in NEEDED if column not in found]
    if missing or not len(table):
        raise ValueError(
            f"{name}: {len(table)} rows with columns {str(found)[:200]}, expected"
            f" {', '.join(NEEDED)} and, if need be, clip, body, z, confidence"
        )
    return Rows(table, alone, name)


def _values(table: pa.Table, column: str, name: str) -> np.ndarray:
    values = table[column]
    try:
        values = pc.cast(values, NUMBERS[column])
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise ValueError(
            f"{name}: column {column} holds {values.type} values, expected numbers"
        ) from None
    if pa.types.is_integer(NUMBERS[column]) and values.null_count:
        raise ValueError(f"{name}: column {column} is empty in {values.null_count} rows")
    return values.to_numpy()


def _texts(table: pa.Table, column: str, otherwise: str, name: str) -> np.ndarray:
    if column not in table.column_names:
        return np.full(len(table), otherwise)
    if table[column].null_count:
        raise ValueError(f"{name}: column {column} is empty in {table[column].null_count} rows")
    try:
        return pc.cast(table[column], pa.string()).to_numpy().astype(str)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise ValueError(f"{name}: column {column} holds {table[column].type} values") from None


def _numbered(bodies: np.ndarray) -> Int[np.ndarray, " n"]:
    """Places of bodies in the order of their numbers or, if they are none, names."""
    names, places = np.unique(bodies, return_inverse=True)
    if all(name.lstrip("-").isdecimal() for name in names):
        order = np.argsort(np.argsort(names.astype(np.float64), kind="stable"))
        places = order[places]
    return places
