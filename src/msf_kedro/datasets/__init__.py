"""Kedro datasets: versioned files written whole, and readers of raw clips."""

from msf_kedro.datasets.clips import (
    ClipFolderDataset,
    MissingListsDataset,
    NpyClipDataset,
    NtuClipDataset,
    SampleClipsDataset,
    UtdMhadClipDataset,
)
from msf_kedro.datasets.parts import ClipPartsDataset
from msf_kedro.datasets.versioned import JSONDataset, TableDataset, TorchDataset

__all__ = [
    "ClipFolderDataset",
    "ClipPartsDataset",
    "JSONDataset",
    "MissingListsDataset",
    "NpyClipDataset",
    "NtuClipDataset",
    "SampleClipsDataset",
    "TableDataset",
    "TorchDataset",
    "UtdMhadClipDataset",
]
