"""Images in files, each decoded once and in order, while whoever asked for them works on those before."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fairdistill.data.images.decoding import Decoded, Decoding, decode
from fairdistill.data.images.facts import FACTS
from fairdistill.data.images.sources import Source, content_of
from fairdistill.data.images.view import View
from fairdistill.errors import DataError

_CHUNK = 128  # images that are returned together
_AHEAD = 2  # chunks that are decoded before they are asked for


@dataclass(frozen=True)
class Chunk:
    """Consecutive images, decoded.

    Attributes:
        rows: which images, int64 ``[n]``; those that cannot be decoded are left out.
        pixels: uint8 ``[n, 3, height, width]``.
        facts: what decoding has shown about each, ``FACTS [n]``.
        broken: the rows that cannot be decoded, each with the reason.
    """

    rows: NDArray[np.int64]
    pixels: Tensor
    facts: NDArray[Any]
    broken: tuple[tuple[int, str], ...] = ()

    def __len__(self) -> int:
        return len(self.rows) + len(self.broken)


def stream(source: Source, names: Sequence[str], view: View, how: Decoding, *, workers: int) -> Iterator[Chunk]:
    """Yield images in order, decoded by several threads; nothing is kept on disk.

    Args:
        source: where the files are.
        names: their names.
        view: size of the result, and which part of each image it shows.
        how: how a file's content becomes an image.
        workers: number of decoding threads.
    """

    def read(name: str) -> Decoded | str:
        try:
            with content_of(source, name) as content:
                return decode(content, view, how)
        except DataError as error:
            return str(error)
        except OSError as error:
            return f"it cannot be read: {error.strerror or error}"

    starts = iter(range(0, len(names), _CHUNK))
    waiting: deque[tuple[int, list[Future[Decoded | str]]]] = deque()
    pool = ThreadPoolExecutor(workers)
    try:
        while True:
            while len(waiting) < 1 + _AHEAD and (start := next(starts, None)) is not None:
                waiting.append((start, [pool.submit(read, name) for name in names[start : start + _CHUNK]]))
            if not waiting:
                return
            start, futures = waiting.popleft()
            yield _chunk(start, [future.result() for future in futures], view)
    finally:
        pool.shutdown(cancel_futures=True)


def _chunk(start: int, found: Sequence[Decoded | str], view: View) -> Chunk:
    whole = [(start + at, each) for at, each in enumerate(found) if isinstance(each, Decoded)]
    pixels = np.array([each.pixels for _, each in whole], np.uint8).reshape(-1, view.height, view.width, 3)
    return Chunk(
        rows=np.array([row for row, _ in whole], np.int64),
        pixels=torch.from_numpy(pixels).permute(0, 3, 1, 2),
        facts=np.array([each.facts.record() for _, each in whole], FACTS),
        broken=tuple((start + at, each) for at, each in enumerate(found) if isinstance(each, str)),
    )
