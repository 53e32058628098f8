"""Released artifacts on disk: folders of features, folders of texts, and files that are broken."""

from pathlib import Path

import numpy as np
import pytest
from kedro.io import DatasetError

from msf_kedro.datasets import ReleasedFeaturesDataset, TextFilesDataset

MOST = 1_000_000
ARRAY = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)


def saved(folder: Path, name: str, array: np.ndarray = ARRAY) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as opened:
        np.save(opened, array)
    return file


def released(folder: Path) -> ReleasedFeaturesDataset:
    return ReleasedFeaturesDataset(str(folder), MOST)


def texts(folder: Path) -> TextFilesDataset:
    return TextFilesDataset(str(folder), str(folder), MOST)


def test_features_are_listed_by_folder_and_mapped_into_memory(tmp_path):
    saved(tmp_path, "shift_5_r/train.npy")
    (tmp_path / "shift_5_r" / "weights").mkdir()
    (tmp_path / "shift_5_r" / "weights" / "model.pt").write_bytes(b"")
    loaded = released(tmp_path).load()
    assert loaded.keys() == {"shift_5_r/train.npy"}
    array = loaded["shift_5_r/train.npy"]()
    assert isinstance(array, np.memmap)
    np.testing.assert_array_equal(array, ARRAY)


@pytest.mark.parametrize(("make", "what"), [(True, "no .npy file"), (False, "no such folder")])
def test_a_missing_or_empty_folder_says_what_to_do(make, what, tmp_path):
    folder = tmp_path / "features"
    if make:
        folder.mkdir()
    with pytest.raises(DatasetError) as caught:
        released(folder).load()
    for part in (what, str(folder), "docs/ntu.md", "--params=released_features=FOLDER"):
        assert part in str(caught.value)


@pytest.mark.parametrize(("make", "what"), [(True, "it is empty"), (False, "no such folder")])
def test_a_missing_or_empty_text_folder_says_what_to_do(make, what, tmp_path):
    folder = tmp_path / "texts"
    if make:
        folder.mkdir()
    with pytest.raises(DatasetError) as caught:
        texts(folder).load()
    for part in (what, str(folder), "docs/ntu.md", "--params=text_files=FOLDER"):
        assert part in str(caught.value)


def test_no_text_folder_is_no_text_file():
    """Whatever Kedro makes of the empty path."""
    assert TextFilesDataset("/", "", MOST).load() == {}


def test_text_files_are_read_when_asked_for(tmp_path):
    saved(tmp_path, "AD_60.NPY")
    (tmp_path / "lb_60.csv").write_bytes(
        b'\xef\xbb\xbfidx,dcp\r\n1,"wave, twice"\r\n2,caf\xc3\xa9\r\n'
    )
    (tmp_path / "README.md").write_text("not a text of a class")
    loaded = texts(tmp_path).load()
    assert loaded.keys() == {"AD_60.NPY", "lb_60.csv", "README.md"}
    np.testing.assert_array_equal(loaded["AD_60.NPY"](), ARRAY)
    assert loaded["lb_60.csv"]() == [["idx", "dcp"], ["1", "wave, twice"], ["2", "café"]]
    assert loaded["README.md"]() is None


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-8])


def without_header(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:20])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def other_content(file: Path) -> None:
    file.write_bytes(b"<html>quota exceeded</html>")


def pickled(file: Path) -> None:
    with file.open("wb") as opened:
        np.save(opened, np.array([{"a": 1}], dtype=object))


def zipped(file: Path) -> None:
    with file.open("wb") as opened:
        np.savez(opened, a=ARRAY)


@pytest.mark.parametrize("kind", [released, texts])
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (truncated, r"an array \(5, 4\) of float32 makes a file of 208 bytes, but it has 200"),
        (without_header, "its header ends at byte 128, expected at most 20"),
        (empty, r"not a \.npy file"),
        (other_content, r"not a \.npy file"),
        (pickled, "an array of .*, expected plain numbers"),
        (zipped, r"an \.npz archive, expected a \.npy file"),
    ],
)
def test_broken_arrays_are_named(kind, spoil, message, tmp_path):
    file = saved(tmp_path, "lb_60.npy")
    spoil(file)
    load = kind(tmp_path).load()["lb_60.npy"]
    with pytest.raises(ValueError, match=rf"^{file}: {message}.*; download it again$"):
        load()


def test_text_that_is_not_utf_8_is_named(tmp_path):
    (tmp_path / "lb_60.csv").write_bytes("idx,dcp\n1,café\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"lb_60\.csv: not a UTF-8 \.csv file"):
        texts(tmp_path).load()["lb_60.csv"]()


@pytest.mark.parametrize("kind", [released, texts])
def test_released_files_are_read_only(kind, tmp_path):
    with pytest.raises(DatasetError, match="read only"):
        kind(tmp_path).save({})
    assert list(tmp_path.iterdir()) == []
