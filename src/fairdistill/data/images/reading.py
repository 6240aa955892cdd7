"""Images kept in files: their rows, and readers that return batches of pixels."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fairdistill.data.images.cache import ImageCache
from fairdistill.data.images.compressing import expected_bytes
from fairdistill.data.images.contents import content_digest
from fairdistill.data.images.decoding import AS_STORED, Decoding, decode, seen_part
from fairdistill.data.images.depth import Depth
from fairdistill.data.images.facts import FACTS, Facts
from fairdistill.data.images.sources import Source, content_of
from fairdistill.data.images.view import View
from fairdistill.data.images.windows import windows
from fairdistill.errors import DataError
from fairdistill.system.processes import speaks_here
from fairdistill.text.progress import progress
from fairdistill.text.telling import tell

CacheFormat = Literal["auto", "raw", "jpeg"]


class Reader(ABC):
    """Returns the pixels of rows."""

    @abstractmethod
    def take(self, rows: Tensor) -> Tensor:
        """Return uint8 ``[n, 3, H, W]`` of int64 ``[n]`` rows (CPU)."""

    def windows(self, rows: Tensor, boxes: Tensor, size: int) -> Tensor:
        """Return a window of each row, uint8 ``[n, 3, size, size]``; see :func:`.windows.windows`."""
        return windows(self.take(rows), torch.arange(len(rows)), boxes, size)


@dataclass(frozen=True)
class Storage:
    """How images are decoded, and where the results are kept.

    Attributes:
        folder: folder of the image caches, or None to decode on the fly.
        workers: number of decoding threads.
        how: how a file's content becomes an image.
        format: raw pixels, JPEG, or ``auto``: JPEG if raw pixels would take more than half of the free disk space.
        opened: the caches that this process has opened, so that images decoded or checked for one split need not be
            checked again for another.
    """

    folder: Path | None
    workers: int
    how: Decoding = AS_STORED
    format: CacheFormat = "auto"
    opened: dict[tuple[str, View, Decoding], ImageCache] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True)
class Scan:
    """What is known about files after reading and decoding each of them.

    Attributes:
        digests: hash of each file's content, ``V16 [N]``.
        broken: which files cannot be decoded, bool ``[N]``.
        facts: what decoding has shown about each file, ``FACTS [N]``.
    """

    digests: NDArray[np.void]
    broken: NDArray[np.bool_]
    facts: NDArray[Any]

    def take(self, rows: NDArray[Any]) -> Scan:
        """Return what is known about some files, by a mask or by indices."""
        return Scan(self.digests[rows], self.broken[rows], self.facts[rows])


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """Image files of one source, one per row; indexed by rows like the first axis of a tensor.

    Attributes:
        source: where the files are.
        names: their names there, object ``[N]``.
        storage: where decoded images are kept.
        digests: hash of each file's content, ``V16 [N]``.
        facts: what decoding has shown about each file, ``FACTS [N]``.
    """

    source: Source
    names: NDArray[np.object_]
    storage: Storage
    digests: NDArray[np.void]
    facts: NDArray[Any]

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, rows: Tensor) -> ImageFiles:
        """Return the files of these rows (int64), in this order."""
        at = rows.numpy()
        return replace(self, names=self.names[at], digests=self.digests[at], facts=self.facts[at])

    @property
    def decoding(self) -> Decoding:
        """How the files are decoded, with the range that those of more than 8 bits are scaled by, if there are any."""
        given = self.storage.how.depth
        whole, real = (int(self.facts[kind].max(initial=0)) for kind in ("whole_bits", "real_bits"))
        depth = Depth((given.whole or whole) if whole else None, (given.real or real) if real else None)
        return replace(self.storage.how, depth=depth)

    def digest(self) -> bytes:
        """Return a hash of the files' contents, in their order, and of how they are decoded."""
        return hashlib.blake2b(self.digests.tobytes() + str(self.storage.how).encode(), digest_size=16).digest()

    def reader(self, view: View) -> Reader:
        """Return a reader of one view of the files; those missing from its cache are decoded now."""
        if self.storage.folder is None:
            return _Decoding(self, view)
        names = self.names.tolist()
        cache = _filled(self.source, names, self.storage, view)
        return _Cached(cache, torch.from_numpy(cache.slots(names)))

    def one(self, row: int, view: View) -> Tensor:
        """Return one image, uint8 ``[3, height, width]``, decoded now."""
        return _Decoding(self, view).take(torch.tensor([row]))[0]


def scan(source: Source, names: Sequence[str], storage: Storage, view: View) -> Scan:
    """Read and decode every file once, into the cache if there is one; report which are broken."""
    if storage.folder is not None:
        cache = _filled(source, names, storage, view)
        return Scan(cache.digests(names), cache.broken(names), cache.facts(names))

    def look(name: str) -> tuple[Any, bool, tuple[int, ...]]:
        digest = content_digest(b"")
        try:
            with content_of(source, name) as content:
                digest = content_digest(content)
                facts = decode(content, view, storage.how).facts
        except (DataError, OSError):
            return digest, True, Facts().record()
        return digest, False, facts.record()

    different = list(dict.fromkeys(names))
    with ThreadPoolExecutor(storage.workers) as pool, progress("checking", len(different)) as report:
        found = {}
        for name, item in zip(different, pool.map(look, different), strict=True):
            found[name] = item
            report(1)
    digests, broken, facts = ([item[at] for item in found.values()] for at in range(3))
    place = {name: at for at, name in enumerate(found)}
    of_row = np.fromiter((place[name] for name in names), np.int64, len(names))
    return Scan(np.array(digests, "V16"), np.array(broken, bool), np.array(facts, FACTS)).take(of_row)


def why_broken(source: Source, name: str, how: Decoding) -> str:
    """Return why a file cannot be decoded."""
    try:
        decode(source.read(name), View(1, 1), how)
    except FileNotFoundError:
        return "there is no such file"
    except DataError as error:
        return str(error)
    except OSError as error:
        return f"it cannot be read: {error.strerror or error}"
    return "it could not be decoded at first, but now it can; start again"


class InMemory(Reader):
    """Reads images from a tensor, moved to the device once, and resized there if another size is requested.

    Args:
        images: uint8 ``[N, 3, H, W]``.
        view: size of the result, and which part of the images it shows.
        device: the device of the batches.
    """

    def __init__(self, images: Tensor, *, view: View, device: torch.device) -> None:
        self._images = images.to(device)
        self._view = view

    def take(self, rows: Tensor) -> Tensor:
        """Return uint8 ``[n, 3, height, width]`` on the device."""
        images = self._images[rows.to(self._images.device, non_blocking=True)]
        height, width = images.shape[2:]
        if (height, width) == (self._view.height, self._view.width) and self._view.short is None:
            return images
        return seen_part(images.float(), self._view).round().to(torch.uint8)


class _Cached(Reader):
    def __init__(self, cache: ImageCache, slots: Tensor) -> None:
        self._cache = cache
        self._slots = slots

    def take(self, rows: Tensor) -> Tensor:
        return self._cache.take(self._slots[rows])

    def windows(self, rows: Tensor, boxes: Tensor, size: int) -> Tensor:
        return self._cache.windows(self._slots[rows], boxes, size)


class _Decoding(Reader):
    def __init__(self, files: ImageFiles, view: View) -> None:
        self._files = files
        self._view = view

    def take(self, rows: Tensor) -> Tensor:
        files, view = self._files, self._view

        def read(name: str) -> NDArray[np.uint8]:
            try:
                with content_of(files.source, name) as content:
                    return decode(content, view, files.storage.how).pixels
            except (DataError, OSError) as error:
                raise DataError(
                    f"{files.source.where}: {name}: {error}; it was readable when the run started"
                ) from error

        with ThreadPoolExecutor(files.storage.workers) as pool:
            pixels = list(pool.map(read, files.names[rows.numpy()].tolist()))
        return torch.from_numpy(np.array(pixels, np.uint8).reshape(-1, view.height, view.width, 3)).permute(0, 3, 1, 2)


def _filled(source: Source, names: Sequence[str], storage: Storage, view: View) -> ImageCache:
    assert storage.folder is not None
    key = (source.where, view, storage.how)
    if key not in storage.opened:
        storage.opened[key] = ImageCache(storage.folder, source, view=view, how=storage.how, workers=storage.workers)
    cache = storage.opened[key]
    names = list(dict.fromkeys(names))  # a table may name a file in many rows
    if cache.holds(names):
        return cache
    needed = cache.missing_bytes(names)
    if not (needed and speaks_here()):
        cache.fill(names, lambda _: None)
        return cache
    count = needed // (view.height * view.width * 3)
    jpeg = storage.how.jpeg
    small = count * expected_bytes(view.height * view.width * 3)
    size = f"about {small / 2**20:,.0f} MiB as JPEG" if jpeg else f"{needed / 2**20:,.0f} MiB"
    tell(f"decoding {count:,} images of {source.where} to {view.width}x{view.height}, once: {size} in {cache.folder}")
    with progress("decoding", count) as report:
        cache.fill(names, report)
    return cache
