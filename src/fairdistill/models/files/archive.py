"""Archives that PyTorch writes: zip files whose members are not compressed."""

from __future__ import annotations

import zipfile
from pathlib import Path

from fairdistill.errors import UsageError

_SLACK = 16 << 20  # bytes; the code of a TorchScript archive is compressed


def check_stored(path: Path) -> None:
    """Check that a file, if it is a zip archive, is not far larger unpacked; PyTorch would unpack it all.

    Raises:
        UsageError: if it does.
    """
    try:
        if not zipfile.is_zipfile(path):  # which raises an error for some damaged files
            return
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError):
        return  # PyTorch says what is wrong with it
    if sum(one.file_size for one in members) > path.stat().st_size + _SLACK:
        raise UsageError(
            f"{path} has compressed contents that are far larger than the file; PyTorch never writes such files. Save "
            "it again with torch.save or torch.export.save"
        )
