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

from fairdistill.errors import UsageError
from fairdistill.models.files.archive import HEADER, content_of, start_of
from fairdistill.system.archives import records_in_archive

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

    Raises:
        UsageError: if another tensor shares numbers with one of the changed ones, or they are of another byte order.
    """
    records = {each.filename: each for each in records_in_archive(path)}
    if any(content_of(path, each) == b"big" for name, each in records.items() if name.endswith("/byteorder")):
        raise UsageError(f"{path} was written on a machine with another byte order; save it again on this one")
    with FakeTensorMode():  # in which PyTorch crashes with another byte order
        tensors = find()
    starts = {start_of(path, each): name for name, each in records.items()}
    of = {name: starts[_storage(tensor)] for name, tensor in tensors.items() if _storage(tensor) in starts}
    old = {record: content_of(path, records[record]) for record in {of[name] for name in changes}}
    content = {record: bytearray(numbers) for record, numbers in old.items()}
    for name, new in changes.items():
        _view(tensors[name], content[of[name]]).copy_(new)
    for name, tensor in tensors.items():
        record = of.get(name)
        if record not in content:
            continue
        expected = changes[name] if name in changes else _view(tensor, bytearray(old[record]))
        if not torch.equal(_view(tensor, content[record]), expected):
            raise UsageError(
                f"{path}: {name} shares numbers with another layer, which would change with it; save "
                "model.state_dict() instead of the whole model"
            )
    return _copied(path, records, content)


def _storage(tensor: Tensor) -> int:
    """Return where the numbers of a tensor's storage start in the file; -1 for one without numbers."""
    start = tensor.untyped_storage()._checkpoint_offset
    return -1 if start is None else start


def _view(tensor: Tensor, numbers: bytearray) -> Tensor:
    """Return a tensor of the file with the numbers of its storage."""
    stored = torch.frombuffer(numbers, dtype=tensor.dtype)
    return stored.as_strided(tensor.shape, tensor.stride(), int(tensor.storage_offset()))


def _copied(path: Path, records: Mapping[str, zipfile.ZipInfo], changed: Mapping[str, bytearray]) -> bytes:
    """Return an archive with other content in some records."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as new:
        for name, record in records.items():
            copy = zipfile.ZipInfo(name)
            padding = -(buffer.tell() + HEADER + len(name.encode()) + 4) % _ALIGNED
            copy.extra = struct.pack("<HH", _PADDING, padding) + bytes(padding)
            new.writestr(copy, changed.get(name) or content_of(path, record))
    return buffer.getvalue()
