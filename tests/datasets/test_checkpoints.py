"""Released checkpoints on disk: read as tensors alone, and refused by name."""

import re
from pathlib import Path

import pytest
import torch
from kedro.io import DataCatalog, DatasetError
from support.released_states import released_state
from support.sessions import assert_equal

from msf_kedro.datasets import ReleasedShiftGCNDataset

MOST = 1_000_000
STATE = released_state([4, 6], {2}, classes=60)


class Payload:
    """What a hostile pickle would hold."""


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("content", [STATE, {"state_dict": STATE, "epoch": 140}])
def test_a_state_dict_comes_as_it_is(content, zipped, tmp_path):
    torch.save(content, tmp_path / "x.pt", _use_new_zipfile_serialization=zipped)
    assert_equal(ReleasedShiftGCNDataset(str(tmp_path / "x.pt"), MOST).load(), content)


def refusal(filepath: Path | None) -> str:
    with pytest.raises(DatasetError) as caught:
        ReleasedShiftGCNDataset(filepath and str(filepath), MOST).load()
    message = str(caught.value)
    assert filepath is None or str(filepath) in message
    return message


@pytest.mark.parametrize(
    ("name", "why"), [(None, "needs a released"), ("none.pt", "no such file"), ("", "a folder")]
)
def test_without_a_file_it_says_what_to_do(name, why, tmp_path):
    message = refusal(None if name is None else tmp_path / name)
    assert re.search(r"--params=checkpoint=FILE \(docs/ntu\.md\)", message)
    assert why in message


@pytest.mark.parametrize("zipped", [True, False])
def test_objects_are_not_unpickled(zipped, tmp_path):
    file = tmp_path / "x.pt"
    torch.save(STATE | {"model": Payload()}, file, _use_new_zipfile_serialization=zipped)
    message = refusal(file)
    assert re.search(
        r"not a PyTorch file of tensors alone \(UnpicklingError\).*torch\.save", message
    )


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"PK\x03\x04 and no more"])
def test_what_is_no_pytorch_file_is_refused(content, tmp_path):
    file = tmp_path / "x.pt"
    file.write_bytes(content)
    assert "not a PyTorch file" in refusal(file)


def test_half_a_file_is_refused(tmp_path):
    file = tmp_path / "x.pt"
    torch.save(STATE, file)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert "not a PyTorch file" in refusal(file)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (torch.ones(3), "found a Tensor, expected a state dict"),
        ([STATE], "found a list, expected a state dict"),
        ({k: v for k, v in STATE.items() if k != "fc.bias"}, r"fc\.bias: missing, expected .*60,"),
    ],
)
def test_what_is_no_shift_gcn_is_refused_by_file_and_key(content, message, tmp_path):
    torch.save(content, tmp_path / "x.pt")
    assert re.search(message, refusal(tmp_path / "x.pt"))


def test_it_is_read_only_and_a_catalog_builds_it(tmp_path):
    torch.save(STATE, tmp_path / "x.pt")
    entry = {"type": "msf_kedro.datasets.ReleasedShiftGCNDataset", "max_bytes": MOST}
    catalog = DataCatalog.from_config({"x": entry | {"filepath": str(tmp_path / "x.pt")}})
    assert_equal(catalog.load("x"), STATE)
    with pytest.raises(DatasetError, match="read only"):
        catalog.save("x", STATE)
    with pytest.raises(DatasetError, match="needs a released checkpoint"):
        DataCatalog.from_config({"x": entry | {"filepath": None}}).load("x")
