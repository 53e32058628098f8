"""Kedro datasets: versioned files written whole, readers of raw clips and of finished studies."""

from msf_kedro.datasets.clips import (
    ClipFolderDataset,
    NpyClipDataset,
    NtuClipDataset,
    SampleClipsDataset,
    UtdMhadClipDataset,
)
from msf_kedro.datasets.studies import StudiesDataset
from msf_kedro.datasets.versioned import JSONDataset, TableDataset, TextDataset, TorchDataset

__all__ = [
    "ClipFolderDataset",
    "JSONDataset",
    "NpyClipDataset",
    "NtuClipDataset",
    "SampleClipsDataset",
    "StudiesDataset",
    "TableDataset",
    "TextDataset",
    "TorchDataset",
    "UtdMhadClipDataset",
]
