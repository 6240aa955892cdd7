"""Decoded images on disk: every file is decoded once and then read as memory-mapped pixels.

A cache is a folder for one source (folder or archive), one view and one way of decoding. It holds a slot for every name
that was ever requested: ``names.jsonl`` (one name per line), ``index.bin`` (one record per slot) and ``pixels.bin``
(``height * width * 3`` bytes per slot, with holes where nothing was decoded). A cache of JPEG files has the same slots,
of which each file fills the beginning; the rest are holes, which take no space on the disk. A slot counts only once its
record, written last, says so; a process that was killed half-way is therefore resumed where it stopped. Processes that
fill it at once share the work. A file that changed is decoded again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import mmap
import os
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fairdistill.data.images.compressing import check_room, compressed, expected_bytes, uncompressed
from fairdistill.data.images.contents import content_digest, write_at
from fairdistill.data.images.decoding import AS_STORED, Decoding, decode
from fairdistill.data.images.facts import FACTS
from fairdistill.data.images.opening import TooLargeError
from fairdistill.data.images.sharing import share
from fairdistill.data.images.sources import Source, content_of
from fairdistill.data.images.view import View
from fairdistill.data.images.windows import windows
from fairdistill.errors import DataError, RunFolderError
from fairdistill.system.locks import held
from fairdistill.text.parsing import from_json

_VERSION = 2
_MISSING, _DONE, _BROKEN = 0, 1, 2
_BLOCK = 1024  # files that a process takes at a time where the source does not say which belong together
_RECORD = np.dtype(
    [
        ("size", "<u8"), ("stamp", "<u8"), ("digest", "V16"), ("crc", "<u4"), ("state", "<u4"), ("facts", FACTS),
        ("length", "<u4"),
    ]
)  # 48 bytes, without padding; the length of a JPEG, 0 for pixels  # fmt: skip

Report = Callable[[int], None]
"""Called with the number of files done since the last call."""


class ImageCache:
    """The decoded images of one source, all of the same view.

    Args:
        folder: folder of all caches; this cache gets a subfolder.
        source: where the files are.
        view: size of the decoded images, and which part of a file's image they show.
        how: how a file's content becomes an image.
        workers: number of decoding threads.
    """

    def __init__(self, folder: Path, source: Source, *, view: View, how: Decoding = AS_STORED, workers: int) -> None:
        key = hashlib.blake2b(os.fsencode(source.where), digest_size=8).hexdigest()
        self.folder = folder / f"v{_VERSION}-{view}{how}-{key}"
        self._source = source
        self._view, self._how = view, how
        self._shape = (view.height, view.width, 3)
        self._bytes = view.height * view.width * 3
        self._workers = workers
        self._slots: dict[str, int] = {}
        self._records: NDArray[np.void] = np.zeros(0, _RECORD)
        self._checked = np.zeros(0, bool)
        self._filled = np.zeros(0, bool)
        self._mapped: mmap.mmap | None = None
        self._pixels: Tensor | None = None

    def slots(self, names: Sequence[str]) -> NDArray[np.int64]:
        """Return the slot of each name; all of them must have been filled."""
        return np.fromiter((self._slots[name] for name in names), np.int64, len(names))

    def holds(self, names: Sequence[str]) -> bool:
        """Return whether this object has filled all of these names; files that changed since do not count."""
        slots = (self._slots.get(name, len(self._filled)) for name in names)
        return self._pixels is not None and all(slot < len(self._filled) and self._filled[slot] for slot in slots)

    def missing_bytes(self, names: Sequence[str]) -> int:
        """Return how much ``fill`` would write for these names."""
        self._read()
        return sum(self._stale(name) is not None for name in names) * self._bytes

    def fill(self, names: Sequence[str], report: Report) -> None:
        """Decode the files among ``names`` that are missing or changed; processes that do this at once share the work.

        Raises:
            DataError: if the folder cannot be written, or its disk has too little space.
        """
        self._fill(names, report)
        self._map()
        self._filled = np.append(self._filled, np.zeros(len(self._slots) - len(self._filled), bool))
        self._filled[self.slots(names)] = True

    def _fill(self, names: Sequence[str], report: Report) -> None:
        self._read()
        if not self._all_stale(names):
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with held(self.folder / "lock"):
                self._read()  # another process may have filled it meanwhile
                wanted = self._all_stale(names)
                each = expected_bytes(self._bytes) if self._how.jpeg else self._bytes
                check_room(self.folder, len(wanted) * each)
                self._extend([name for name in wanted if name not in self._slots])
            self._decode_all(wanted, report)
        except (OSError, RunFolderError) as error:
            raise self._unusable("write", error) from error

    def _all_stale(self, names: Sequence[str]) -> list[str]:
        return [name for name in names if self._stale(name) is not None]

    def broken(self, names: Sequence[str]) -> NDArray[np.bool_]:
        """Return which of the filled names could not be decoded."""
        found: NDArray[np.bool_] = self._records["state"][self.slots(names)] == _BROKEN
        return found

    def digests(self, names: Sequence[str]) -> NDArray[np.void]:
        """Return a hash of the content of each filled file, ``V16 [N]``."""
        return self._records["digest"][self.slots(names)]

    def facts(self, names: Sequence[str]) -> NDArray[np.void]:
        """Return what decoding has shown about each filled file, ``FACTS [N]``."""
        found: NDArray[np.void] = self._records["facts"][self.slots(names)]
        return found

    def take(self, slots: Tensor) -> Tensor:
        """Return decoded images, uint8 ``[n, 3, height, width]``, channels last, each checked when it is first read.

        Raises:
            DataError: if a damaged image cannot be decoded or written again.
        """
        assert self._pixels is not None
        numbers = slots.numpy()
        self._read_ahead(numbers.tolist())
        if self._how.jpeg:
            with ThreadPoolExecutor(self._workers) as pool:
                found = list(pool.map(self._uncompressed, numbers.tolist()))
            return torch.from_numpy(np.array(found, np.uint8).reshape(-1, *self._shape)).permute(0, 3, 1, 2)
        images = self._pixels.index_select(0, slots)
        for at in np.flatnonzero(~self._checked[numbers]).tolist():
            slot = int(numbers[at])
            if zlib.crc32(images[at].numpy().data) != self._records["crc"][slot]:
                images[at] = torch.from_numpy(np.frombuffer(self._mended(slot), np.uint8).copy())
            self._checked[slot] = True
        return self._as_images(images)

    def _uncompressed(self, slot: int) -> NDArray[np.uint8]:
        """Return the image of a slot, uint8 ``[height, width, 3]``."""
        assert self._pixels is not None
        stored = self._stored(slot)
        data = self._pixels[slot, :stored].numpy().data
        if not self._checked[slot] and zlib.crc32(data) != self._records["crc"][slot]:
            data = memoryview(self._mended(slot))
        self._checked[slot] = True
        if not self._records["length"][slot]:
            return np.frombuffer(data, np.uint8).reshape(self._shape)
        return uncompressed(data)

    def _stored(self, slot: int) -> int:
        """Return how many bytes of a slot are in use."""
        return int(self._records["length"][slot]) or self._bytes

    def windows(self, slots: Tensor, boxes: Tensor, size: int) -> Tensor:
        """Return a window of each image, uint8 ``[n, 3, size, size]``; see :func:`.windows.windows`."""
        assert self._pixels is not None
        if not self._how.jpeg and self._checked[slots.numpy()].all():
            self._read_ahead(slots.tolist())
            return windows(self._as_images(self._pixels), slots, boxes, size)
        return windows(self.take(slots), torch.arange(len(slots)), boxes, size)

    def _as_images(self, pixels: Tensor) -> Tensor:
        return pixels.view(-1, *self._shape).permute(0, 3, 1, 2)

    def _mended(self, slot: int) -> bytes:
        """Return the content of a damaged slot, decoded and written again."""
        name = next(name for name, at in self._slots.items() if at == slot)
        try:
            with self._open() as (pixels, index):
                self._decode_one(name, pixels, index)
                if self._records["state"][slot] != _DONE:
                    raise DataError(
                        f"{self._source.where}: {name} changed while it was in use and cannot be decoded now"
                    )
                return os.pread(pixels, self._stored(slot), slot * self._bytes)
        except OSError as error:
            raise self._unusable("mend", error) from error

    def _signature(self, name: str) -> tuple[int, int]:
        try:
            return self._source.signature(name)
        except DataError:
            return (0, 0)  # a missing file counts as broken; it is looked up again each time

    def _stale(self, name: str) -> tuple[int, int] | None:
        """Return the signature of a file that must be decoded (again), None if its slot is up to date."""
        signature = self._signature(name)
        slot = self._slots.get(name)
        if slot is None:
            return signature
        record = self._records[slot]
        fresh = record["state"] != _MISSING and (record["size"], record["stamp"]) == signature
        return None if fresh and signature != (0, 0) else signature

    def _read(self) -> None:
        """Read names and records from disk; a line or record that was cut off does not count."""
        names_path, index_path, pixels_path = (
            self.folder / file for file in ("names.jsonl", "index.bin", "pixels.bin")
        )
        try:
            if not names_path.exists():
                return
            lines = names_path.read_bytes().split(b"\n")[:-1]
            self._slots = {from_json(line): slot for slot, line in enumerate(lines)}
            if len(self._slots) < len(lines):
                raise ValueError("it names a file twice")
            stored = pixels_path.stat().st_size // self._bytes if pixels_path.exists() else 0
            kept = min(len(lines), stored)
            records = np.fromfile(index_path, _RECORD, count=kept) if index_path.exists() else self._records[:0]
        except OSError as error:
            raise self._unusable("read", error) from error
        except (ValueError, TypeError) as error:
            raise DataError(f"the image cache {self.folder} is damaged ({error}); delete that folder") from error
        self._records = np.concatenate([records, np.zeros(len(lines) - len(records), _RECORD)])
        self._checked = np.concatenate([self._checked, np.zeros(len(lines) - len(self._checked), bool)])

    def _read_records(self, names: Sequence[str]) -> None:
        """Read the records of some names again, which another process may have written."""
        slots = self.slots(names)
        first, count = int(slots.min()), int(slots.max() - slots.min()) + 1
        read = np.fromfile(self.folder / "index.bin", _RECORD, count=count, offset=first * _RECORD.itemsize)
        self._records[slots] = read[slots - first]

    def _extend(self, names: Sequence[str]) -> None:
        path = self.folder / "names.jsonl"
        whole = path.read_bytes().rfind(b"\n") + 1 if path.exists() else 0
        with path.open("r+b" if path.exists() else "wb") as file:
            file.truncate(whole)
            file.seek(whole)
            file.write("".join(json.dumps(name) + "\n" for name in names).encode())
        first = len(self._slots)
        self._slots.update({name: first + at for at, name in enumerate(names)})
        count = len(self._slots)
        with (self.folder / "pixels.bin").open("ab") as file:
            file.truncate(count * self._bytes)
        with (self.folder / "index.bin").open("ab") as file:
            file.truncate(first * _RECORD.itemsize)  # records of lost names do not belong to the new ones
            file.truncate(count * _RECORD.itemsize)
        self._records = np.concatenate([self._records, np.zeros(count - len(self._records), _RECORD)])
        self._checked = np.concatenate([self._checked, np.zeros(count - len(self._checked), bool)])

    def _decode_all(self, wanted: Sequence[str], report: Report) -> None:
        """Decode files together with the other processes that want them now; return once all of them are done."""
        blocks: dict[int, list[str]] = {}
        for name in wanted:
            part = self._source.part(name)
            blocks.setdefault(self._slots[name] // _BLOCK if part is None else part, []).append(name)

        def left(names: Sequence[str]) -> list[str]:
            self._read_records(names)
            stale = self._all_stale(names)
            if len(stale) < len(names):  # the others have been done by another process
                report(len(names) - len(stale))
            return stale

        def decode_one(name: str) -> None:
            self._decode_one(name, pixels, index)
            report(1)

        with self._open() as (pixels, index):
            share(self.folder, blocks, left, decode_one, workers=self._workers)

    def _decode_one(self, name: str, pixels: int, index: int) -> None:
        slot = self._slots[name]
        record = self._records[slot : slot + 1]
        record["size"], record["stamp"] = self._signature(name)
        record["crc"], record["facts"], record["length"] = 0, 0, 0
        digest = content_digest(b"")
        try:
            with content_of(self._source, name) as content:
                digest = content_digest(content)
                decoded = decode(content, self._view, self._how)
        except (OSError, TooLargeError):  # not caused by the content alone: they may go away without a change to it
            record["state"], record["size"], record["stamp"] = _BROKEN, 0, 0
        except DataError:
            record["state"] = _BROKEN
        else:
            data: bytes | memoryview = np.ascontiguousarray(decoded.pixels).data
            content_as_jpeg = compressed(decoded.pixels) if self._how.jpeg else b""
            if 0 < len(content_as_jpeg) < self._bytes:  # tiny images and noise stay as they are
                data, record["length"] = content_as_jpeg, len(content_as_jpeg)
            write_at(pixels, data, slot * self._bytes)
            record["crc"], record["state"], record["facts"] = zlib.crc32(data), _DONE, decoded.facts.record()
        record["digest"] = digest
        write_at(index, record.tobytes(), slot * _RECORD.itemsize)
        self._checked[slot] = True  # data written by this process need not be checked again

    @contextlib.contextmanager
    def _open(self) -> Iterator[tuple[int, int]]:
        """Give file descriptors: on a full disk a write to them raises an error, where mapped memory would crash."""
        with (self.folder / "pixels.bin").open("r+b") as pixels, (self.folder / "index.bin").open("r+b") as index:
            yield pixels.fileno(), index.fileno()

    def _map(self) -> None:
        path = self.folder / "pixels.bin"
        try:
            if not path.exists() or not path.stat().st_size:  # no file was ever requested
                self._pixels = torch.empty(0, self._bytes, dtype=torch.uint8)
                return
            with path.open("rb") as file:
                # Not ACCESS_COPY: Linux refuses writable mappings larger than its whole memory.
                self._mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise self._unusable("read", error) from error
        count = len(self._mapped) // self._bytes
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The given buffer is not writable")  # and it is never written
            whole = torch.frombuffer(self._mapped, dtype=torch.uint8, count=count * self._bytes)
        self._pixels = whole.view(count, self._bytes)

    def _read_ahead(self, slots: Sequence[int]) -> None:
        """Request all images of a batch at once, to avoid waiting for the disk image by image."""
        if self._mapped is not None and hasattr(mmap, "MADV_WILLNEED"):
            for slot in slots:
                start = slot * self._bytes // mmap.PAGESIZE * mmap.PAGESIZE
                self._mapped.madvise(mmap.MADV_WILLNEED, start, slot * self._bytes + self._stored(slot) - start)

    def _unusable(self, what: str, error: Exception) -> DataError:
        why = getattr(error.__cause__ or error, "strerror", None) or error  # a lock's own advice does not fit here
        return DataError(
            f"cannot {what} the image cache {self.folder}: {why}; choose another folder with --image-cache, or decode "
            "on the fly with --no-cache"
        )
