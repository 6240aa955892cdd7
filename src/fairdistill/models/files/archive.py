"""Archives that PyTorch writes: zip files whose records are not compressed."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from fairdistill.errors import UsageError
from fairdistill.system.archives import records_in_archive

HEADER = 30
"""Bytes before the name of a record."""

_SLACK = 16 << 20  # bytes; the code of a TorchScript archive is compressed
_BLOCK = 1 << 20


def check_archive(path: Path) -> None:
    """Check the records of a file, if it is a zip archive, which PyTorch would unpack without doing so.

    Raises:
        UsageError: if they are far larger than the file, or one is not what its checksum says.
    """
    records = records_in_archive(path)  # of a damaged archive, PyTorch says what is wrong with it
    if sum(each.file_size for each in records) > path.stat().st_size + _SLACK:
        raise UsageError(
            f"{path} has compressed contents that are far larger than the file; PyTorch never writes such files. Save "
            "it again with torch.save or torch.export.save"
        )
    for each in records:
        if _is_damaged(path, each):
            raise UsageError(f"{path} is damaged: {each.filename} does not match its checksum; copy or save it again")


def start_of(path: Path, record: zipfile.ZipInfo) -> int:
    """Return where in a file the content of a record starts."""
    with path.open("rb") as file:
        file.seek(record.header_offset)
        name, extra = struct.unpack("<HH", file.read(HEADER)[-4:])
    return record.header_offset + HEADER + int(name) + int(extra)


def content_of(path: Path, record: zipfile.ZipInfo) -> bytes:
    """Return a record, which need not have a checksum, unlike for ``zipfile``."""
    if record.compress_type == zipfile.ZIP_STORED:
        return b"".join(_blocks(path, record))
    with zipfile.ZipFile(path) as archive:
        return archive.read(record)


def _blocks(path: Path, record: zipfile.ZipInfo) -> Iterator[bytes]:
    left = record.file_size
    with path.open("rb") as file:
        file.seek(start_of(path, record))
        while left and (block := file.read(min(left, _BLOCK))):
            left -= len(block)
            yield block


def _is_damaged(path: Path, record: zipfile.ZipInfo) -> bool:
    # PyTorch writes 0 for checksums that it was told not to compute (torch.serialization.set_crc32_options).
    if record.compress_type != zipfile.ZIP_STORED or record.CRC == 0:
        return False
    if not 0 <= record.header_offset <= path.stat().st_size - HEADER:
        return True
    checksum = 0
    for block in _blocks(path, record):
        checksum = zlib.crc32(block, checksum)
    return checksum != record.CRC
