"""Bundles: folders that recognise clips anywhere."""

import logging
from contextlib import nullcontext
from pathlib import Path

from msf_kedro.datasets.versioned import WholeFileDataset
from msf_kedro.recognizer.bundle import Bundle, read_bundle, write_bundle
from msf_kedro.runner.places import StoredPath, uploaded

logger = logging.getLogger(__name__)


class BundleDataset(WholeFileDataset):
    """A bundle, a folder."""

    def save(self, data: Bundle) -> None:
        target = self._save_place()
        with uploaded(target) if isinstance(target, StoredPath) else nullcontext(target) as path:
            self._write(data, path)
        logger.info("%s recognises clips, here and wherever you copy it", target)

    def _read(self, path: Path) -> Bundle:
        return read_bundle(path)

    def _write(self, data: Bundle, path: Path) -> None:
        write_bundle(data, path)  # whole, or not at all
