"""Bundles: folders that recognise clips anywhere."""

import logging
from pathlib import Path

from kedro.io.core import DatasetError

from msf_kedro.datasets.versioned import WholeFileDataset
from msf_kedro.recognizer.bundle import Bundle, read_bundle, write_bundle

logger = logging.getLogger(__name__)


class BundleDataset(WholeFileDataset):
    """A bundle, a folder."""

    def save(self, data: Bundle) -> None:
        path = Path(self._get_save_path())
        self._write(data, path)
        logger.info("%s recognises clips, here and wherever you copy it", path)

    def _read(self, path: Path) -> Bundle:
        return read_bundle(path)

    def _write(self, data: Bundle, path: Path) -> None:
        write_bundle(data, path)  # whole, or not at all

    def _exists(self) -> bool:
        try:
            return Path(self._get_load_path()).is_dir()
        except DatasetError:  # no version has been saved
            return False
