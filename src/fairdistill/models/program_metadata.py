"""Texts beside the graph of an exported program, as ``torch.export.save`` writes them with ``extra_files``."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from fairdistill.errors import UsageError
from fairdistill.text.parsing import from_json

METADATA = "fairdistill.json"
"""The name of the extra file."""

_LARGEST = 1 << 24


def program_metadata(path: Path) -> Mapping[str, str]:
    """Return the metadata in an exported program, without reading the program; empty if it has none.

    Raises:
        UsageError: if they are damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            found = [member for member in archive.infolist() if PurePosixPath(member.filename).name == METADATA]
            if not found or found[0].file_size > _LARGEST:
                return {}
            content = from_json(archive.read(found[0]).decode())
    except (OSError, zipfile.BadZipFile):
        return {}  # whoever reads the program says what is wrong with it
    except ValueError as error:
        raise UsageError(f"{path} has unreadable model metadata: {error}") from error
    if not isinstance(content, Mapping) or not all(isinstance(text, str) for text in content.values()):
        raise UsageError(f"{path} has unreadable model metadata: expected texts by name")
    return content
