"""Folders that environment variables name."""

from __future__ import annotations

import os
from pathlib import Path


def data_folder() -> Path | None:
    """Return the folder of data files, ``$FAIRDISTILL_DATA``; None if it is not set."""
    folder = os.environ.get("FAIRDISTILL_DATA")
    return Path(folder) if folder else None


def image_cache_folder() -> Path:
    """Return the folder of image caches: ``$XDG_CACHE_HOME/fairdistill/images``, else in ``~/.cache``."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "fairdistill" / "images"
