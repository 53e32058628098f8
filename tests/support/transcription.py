"""`.skeleton` text read as the format is told, to compare with."""


def transcribe(text: str) -> list[list[list[list[float]]]]:
    """Read line by line: frames of bodies of joints of x y z."""
    lines = iter(text.splitlines())
    frames = []
    for _ in range(int(next(lines))):
        bodies = []
        for _ in range(int(next(lines))):
            next(lines)
            joints = range(int(next(lines)))
            bodies.append([[float(field) for field in next(lines).split()[:3]] for _ in joints])
        frames.append(bodies)
    return frames
