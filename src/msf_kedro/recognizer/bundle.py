"""A bundle: one folder with all that recognises clips, and a card that tells people what it is.

It holds `bundle.json` (plain values), `tensors.safetensors` (all networks and text features),
`SHA256SUMS` of these two, as `sha256sum --check` reads it, and `README.md`, the card, which may be
edited. No pickle, and no path of the machine that wrote it but what an encoder's name may hold.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

FORMAT = 4
VALUES, TENSORS, SUMS, CARD = "bundle.json", "tensors.safetensors", "SHA256SUMS", "README.md"
AGAIN = "copy the whole folder again, or make the bundle anew with `kedro run --pipelines=bundle`"


@dataclass(frozen=True)
class Bundle:
    """What a bundle holds.

    Attributes:
        values: plain values, as JSON has them.
        tensors: by name.
        card: Markdown.
    """

    values: dict[str, Any]
    tensors: dict[str, Tensor]
    card: str


def write_bundle(bundle: Bundle, folder: Path) -> None:
    """Write a bundle into a folder that is not there yet: whole, or not at all.

    Raises:
        ValueError: there is something of that name.
    """
    values = {"format": FORMAT} | bundle.values
    values = json.dumps(values, indent=1, allow_nan=False, ensure_ascii=False)
    tensors = {name: tensor.contiguous().clone() for name, tensor in bundle.tensors.items()}
    contents = {
        VALUES: f"{values}\n".encode(),
        TENSORS: safetensors.torch.save(tensors),
        CARD: bundle.card.encode(),
    }
    contents[SUMS] = _sums(contents).encode()
    write_folder(contents, folder)


def write_folder(contents: dict[str, bytes], folder: Path) -> None:
    """Write files into a folder that is not there yet: whole, or not at all.

    Raises:
        ValueError: there is something of that name.
    """
    if folder.exists():
        raise ValueError(f"{folder}: is there already; give a new folder's name")
    with _whole_or_nothing(folder) as partial:
        for name, content in contents.items():
            (partial / name).write_bytes(content)


def read_bundle(folder: Path) -> Bundle:
    """Read a bundle.

    Raises:
        ValueError: there is none, it is of another format, or its files are not those that were
            written.
    """
    contents = {name: _read(folder, name) for name in (VALUES, TENSORS, SUMS)}
    if contents[SUMS].decode("utf-8", "replace").split() != _sums(contents).split():
        raise ValueError(f"its files are not those that {SUMS} names; {AGAIN}")
    try:
        values = json.loads(contents[VALUES])
        tensors = safetensors.torch.load(contents[TENSORS])
    except (ValueError, SafetensorError) as error:
        raise ValueError(f"{error}; {AGAIN}") from error
    if values.get("format") != FORMAT:
        raise ValueError(
            f"a bundle of format {values.get('format')}, but this version of msf_kedro"
            f" reads format {FORMAT}; install the version that wrote it, which its {CARD} names"
        )
    card = folder / CARD
    return Bundle(values, tensors, card.read_text("utf-8", "replace") if card.is_file() else "")


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise ValueError(
            f"no bundle, as {name} cannot be read ({error.strerror}); give the folder that"
            " `kedro run --pipelines=bundle` wrote"
        ) from error


def _sums(contents: dict[str, bytes]) -> str:
    """SHA-256 of values and tensors, a line each."""
    hashes = {name: hashlib.sha256(contents[name]).hexdigest() for name in (VALUES, TENSORS)}
    return "".join(f"{digest}  {name}\n" for name, digest in hashes.items())


@contextmanager
def _whole_or_nothing(folder: Path) -> Iterator[Path]:
    """A new folder beside `folder`, which takes its name if all goes well."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
