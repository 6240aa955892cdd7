"""A file of features that is being computed: it grows chunk by chunk, and a later process can continue it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import torch
from torch import Tensor

from fairdistill.system.atomic import sync_folder


class Part:
    """The unfinished file of one feature in one augmentation state.

    Chunks are appended to ``NAME.part``, and a hash of each to ``NAME.done``. Only chunks whose hash is there and
    correct count as done, whatever was lost when a process was killed or the power failed.

    Args:
        path: the finished file.
        chunk_bytes: size of every chunk but the last, which may be shorter.
    """

    def __init__(self, path: Path, *, chunk_bytes: int) -> None:
        self._path = path
        self._part, self._hashes = path.with_suffix(".part"), path.with_suffix(".done")
        self._chunk_bytes = chunk_bytes

    def done(self) -> int:
        """Return how many chunks are done."""
        try:
            hashes = self._hashes.read_text(encoding="ascii").split()
            with self._part.open("rb") as file:
                for number, expected in enumerate(hashes):
                    if _hash(file.read(self._chunk_bytes)) != expected:
                        return number
            return len(hashes)
        except (OSError, ValueError):
            return 0

    def keep(self, chunks: int) -> None:
        """Forget all but the first ``chunks`` chunks."""
        hashes = self._hashes.read_text(encoding="ascii").split()[:chunks] if chunks else []
        self._hashes.write_text("".join(f"{each}\n" for each in hashes), encoding="ascii")
        with self._part.open("ab") as file:
            file.truncate(chunks * self._chunk_bytes)

    def append(self, values: Tensor) -> None:
        """Add one chunk."""
        content = values.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        with self._part.open("ab") as file:
            file.write(content)
        with self._hashes.open("a", encoding="ascii") as file:
            file.write(f"{_hash(content)}\n")

    def finish(self) -> None:
        """Give the file its name."""
        with self._part.open("rb") as file:
            os.fsync(file.fileno())
        self._part.replace(self._path)
        sync_folder(self._path.parent)
        self.forget_hashes()

    def forget_hashes(self) -> None:
        """Delete the hashes of a finished file."""
        self._hashes.unlink(missing_ok=True)

    def remove(self) -> None:
        """Delete what was computed so far."""
        self._part.unlink(missing_ok=True)
        self._hashes.unlink(missing_ok=True)


def _hash(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=8).hexdigest()
