"""Kedro datasets: versioned artifacts, and readers of raw input and of finished studies."""

from msf_kedro.datasets.bundle import BundleDataset
from msf_kedro.datasets.checkpoints import ReleasedShiftGCNDataset
from msf_kedro.datasets.chunks import ClipChunksDataset
from msf_kedro.datasets.class_texts import ClassTextsDataset
from msf_kedro.datasets.clip_table import ClipTableDataset
from msf_kedro.datasets.clips import (
    AnyClipDataset,
    ClipFolderDataset,
    MissingListsDataset,
    NpyClipDataset,
    NtuClipDataset,
    SampleClipsDataset,
    UtdMhadClipDataset,
)
from msf_kedro.datasets.incoming import IncomingClassesDataset, IncomingClipsDataset
from msf_kedro.datasets.many_clips import ClipRowsDataset, OpenPoseClipsDataset
from msf_kedro.datasets.released import ReleasedFeaturesDataset, TextFilesDataset
from msf_kedro.datasets.studies import StudiesDataset
from msf_kedro.datasets.training_state import TrainingStateDataset
from msf_kedro.datasets.versioned import (
    JSONDataset,
    PageDataset,
    SVGDataset,
    TableDataset,
    TextDataset,
    TorchDataset,
)

__all__ = [
    "AnyClipDataset",
    "BundleDataset",
    "ClassTextsDataset",
    "ClipChunksDataset",
    "ClipFolderDataset",
    "ClipRowsDataset",
    "ClipTableDataset",
    "IncomingClassesDataset",
    "IncomingClipsDataset",
    "JSONDataset",
    "MissingListsDataset",
    "NpyClipDataset",
    "NtuClipDataset",
    "OpenPoseClipsDataset",
    "PageDataset",
    "ReleasedFeaturesDataset",
    "ReleasedShiftGCNDataset",
    "SVGDataset",
    "SampleClipsDataset",
    "StudiesDataset",
    "TableDataset",
    "TextDataset",
    "TextFilesDataset",
    "TorchDataset",
    "TrainingStateDataset",
    "UtdMhadClipDataset",
]
