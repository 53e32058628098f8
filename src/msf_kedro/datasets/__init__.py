"""Kedro datasets: versioned files written whole, and readers of raw input."""

from msf_kedro.datasets.checkpoints import ReleasedShiftGCNDataset
from msf_kedro.datasets.clips import (
    ClipFolderDataset,
    MissingListsDataset,
    NpyClipDataset,
    NtuClipDataset,
    SampleClipsDataset,
    UtdMhadClipDataset,
)
from msf_kedro.datasets.parts import ClipPartsDataset
from msf_kedro.datasets.released import ReleasedFeaturesDataset, TextFilesDataset
from msf_kedro.datasets.versioned import JSONDataset, TableDataset, TorchDataset

__all__ = [
    "ClipFolderDataset",
    "ClipPartsDataset",
    "JSONDataset",
    "MissingListsDataset",
    "NpyClipDataset",
    "NtuClipDataset",
    "ReleasedFeaturesDataset",
    "ReleasedShiftGCNDataset",
    "SampleClipsDataset",
    "TableDataset",
    "TextFilesDataset",
    "TorchDataset",
    "UtdMhadClipDataset",
]
