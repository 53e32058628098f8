"""What a raw clip may be: readers compare what a file announces before they take memory for it."""

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The largest clip that is accepted.

    Attributes:
        frames: frames of a clip.
        bodies: bodies of a frame.
        bytes: a clip's file, also once it is decompressed.
    """

    frames: int
    bodies: int
    bytes: int

    def check(self, name: str, *, frames: int = 0, bodies: int = 0, size: int = 0) -> None:
        """Refuse what is beyond the limits.

        Args:
            name: what to call the file in errors.
            size: bytes.

        Raises:
            ValueError: something is; names the file, what was found and the parameter.
        """
        found = {"frames": frames, "bodies": bodies, "bytes": size}
        for what, count in found.items():
            if count > (most := getattr(self, what)):
                raise ValueError(
                    f"{name}: {count:,} {what}, accepted are at most {most:,}; if the file is"
                    f" right, raise clips.max_{what}"
                )


NO_LIMITS = Limits(sys.maxsize, sys.maxsize, sys.maxsize)  # for a file that is trusted
