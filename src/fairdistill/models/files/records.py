"""A file of ``torch.save`` with the numbers of some tensors changed, and every other byte of its content kept."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

_HEADER = 30  # bytes before the name of a record
_ALIGNED = 64  # PyTorch starts the numbers of a tensor at a multiple of this, so that they can be mapped into memory
_PADDING = 0x4246  # what PyTorch calls the field that moves them there


def with_numbers(path: Path, changes: Mapping[str, Tensor], find: Callable[[], Mapping[str, Tensor]]) -> bytes:
    """Return the content of a file in which some tensors have other numbers.

    Nothing in the file is run, and nothing but these numbers is written anew: a network in it, pickled whole, stays
    one.

    Args:
        path: an archive of ``torch.save``.
        changes: the new tensors by name; of the shapes and types of those in the file.
        find: returns the tensors of the file, by name, when it is called under a mode in which their numbers are not
            read.
    """
    with FakeTensorMode():
        tensors = find()
    content: dict[str, bytearray] = {}
    with zipfile.ZipFile(path) as archive:
        starts = {_start(path, record): record.filename for record in archive.infolist()}
        for name, new in changes.items():
            tensor = tensors[name]
            start = tensor.untyped_storage()._checkpoint_offset
            assert start is not None, "torch.load sets it under this mode"
            record = starts[start]
            numbers = content.setdefault(record, bytearray(archive.read(record)))
            stored = torch.frombuffer(numbers, dtype=tensor.dtype)
            stored.as_strided(tensor.shape, tensor.stride(), int(tensor.storage_offset())).copy_(new)
    return _copied(path, content)


def _start(path: Path, record: zipfile.ZipInfo) -> int:
    """Return where the content of a record starts."""
    with path.open("rb") as file:
        file.seek(record.header_offset)
        name, extra = struct.unpack("<HH", file.read(_HEADER)[-4:])
    return record.header_offset + _HEADER + int(name) + int(extra)


def _copied(path: Path, changed: Mapping[str, bytearray]) -> bytes:
    """Return an archive with other content in some records."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(buffer, "w") as new:
        for record in old.infolist():
            copy = zipfile.ZipInfo(record.filename)
            padding = -(buffer.tell() + _HEADER + len(copy.filename.encode()) + 4) % _ALIGNED
            copy.extra = struct.pack("<HH", _PADDING, padding) + bytes(padding)
            new.writestr(copy, bytes(changed.get(record.filename, b"")) or old.read(record))
    return buffer.getvalue()
