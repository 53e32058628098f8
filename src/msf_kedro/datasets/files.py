"""Files of others: only regular ones are opened, and none that is larger than accepted."""

from stat import S_ISDIR, S_ISREG

from msf_kedro.runner.places import Place


def check_file(path: Place, most: int, setting: str) -> int:
    """The size in bytes of a file that can be opened without waiting.

    Args:
        most: largest accepted size.
        setting: what sets it, for the error.

    Raises:
        ValueError: there is none, it is a folder, a pipe or a device, or it is too large.
    """
    try:
        status = path.stat()
    except (OSError, ValueError) as error:  # a name may hold a NUL
        missing = isinstance(error, FileNotFoundError)
        raise ValueError(f"{path}: {'there is no such file' if missing else error}") from error
    if not S_ISREG(status.st_mode):
        what = "a folder" if S_ISDIR(status.st_mode) else "a pipe or a device"
        raise ValueError(f"{path}: {what}, expected a file")
    if status.st_size > most:
        raise ValueError(
            f"{path}: {status.st_size:,} bytes, accepted are at most {most:,} ({setting})"
        )
    return status.st_size


def read_file(path: Place, most: int, setting: str) -> bytes:
    """The content of a file, which `check_file` checks first.

    Raises:
        ValueError: it is not accepted, or cannot be read.
    """
    check_file(path, most, setting)
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from error
