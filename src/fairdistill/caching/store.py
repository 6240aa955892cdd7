"""The features of a network for one data set, on disk: one file for each feature and augmentation state."""

from __future__ import annotations

import errno
import hashlib
import math
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import torch
from torch import Tensor

from fairdistill.caching.part import Part
from fairdistill.caching.stored import Stored
from fairdistill.data import Pipeline
from fairdistill.errors import UsageError
from fairdistill.system.locks import held
from fairdistill.system.runtime import Runtime

Name = TypeVar("Name", bound=str)

# Fixed, so that features computed again are identical bit for bit. On a CPU, chunks of 500 images take a third longer,
# unless freed memory is kept.
_CHUNK = 100
_SECONDS, _SHARE = 10.0, 0.1  # between two messages about the progress, and of the time so far if that is more


@dataclass(frozen=True)
class Feature:
    """A feature to keep.

    Attributes:
        place: where in the network it is read, see :func:`~fairdistill.caching.place_key`.
        shape: its shape, without the batch dimension.
    """

    place: str
    shape: tuple[int, ...]


class FeatureStore(Generic[Name]):
    """Features of a network for every image of a data set, computed once and kept in files.

    A file is keyed by everything its feature depends on, so all that read the same place of the same network share it,
    for example a method's teacher cache and the features of a last layer.

    Args:
        folder: where the files are.
        key: what all features depend on, see :func:`~fairdistill.caching.base_key`.
        features: by name.
        rows: images in the data set.
        states: augmentation states per image.
        dtype: the type that features are stored in.
        what: what they are, for messages.
    """

    def __init__(
        self,
        folder: Path,
        *,
        key: str,
        features: Mapping[Name, Feature],
        rows: int,
        states: int,
        dtype: torch.dtype,
        what: str = "teacher outputs",
    ) -> None:
        self.folder = folder
        self._key = key
        self._features = features
        self._rows = rows
        self._states = states
        self._dtype = dtype
        self._what = what

    @property
    def num_images(self) -> int:
        """Images whose features are kept, each augmentation state of a row counted."""
        return self._states * self._rows

    @property
    def num_bytes(self) -> int:
        """Total size of the features."""
        return self._states * sum(self._file_bytes(name) for name in self._features)

    @property
    def missing_bytes(self) -> int:
        """Size of the files that do not exist yet."""
        return sum(self._file_bytes(name) for state in range(self._states) for name in self._missing(state))

    def load(
        self,
        compute: Callable[[Tensor], Mapping[Name, Tensor]],
        pipeline: Pipeline,
        runtime: Runtime,
        *,
        memory: int,
        progress: Callable[[str], None],
        device: torch.device | None = None,
    ) -> dict[Name, Stored]:
        """Return the features, computing those that are missing.

        What a killed process computed before is used. If two processes need the same features, one computes them
        while the other waits.

        Args:
            compute: returns the features ``[n, ...]`` of normalized images ``[n, 3, H, W]`` by name.
            pipeline: prepares the images.
            runtime: device and precision.
            memory: keep the features in memory up to this many bytes; memory-map the files otherwise.
            progress: called with a message about what is computed.
            device: where the features are returned; the device of ``runtime`` by default.

        Raises:
            UsageError: if the folder cannot be written, or its disk is full.
            RunFolderError: if one may not write in the folder.
        """
        if self.missing_bytes:
            with self._locked(progress):
                self._build(compute, pipeline, runtime, progress)
        for state in range(self._states):  # of a process that was killed just after it had finished a file
            for name in self._features:
                self._part(name, state).forget_hashes()
        in_memory = self.num_bytes <= memory
        device = runtime.device if device is None else device
        return {
            name: Stored([self._map(name, state) for state in range(self._states)], joined=in_memory, device=device)
            for name in self._features
        }

    def _build(
        self,
        compute: Callable[[Tensor], Mapping[Name, Tensor]],
        pipeline: Pipeline,
        runtime: Runtime,
        progress: Callable[[str], None],
    ) -> None:
        if not self.missing_bytes:  # another process has built them in the meantime
            return
        missing = {state: names for state in range(self._states) if (names := self._missing(state))}
        parts = {state: {name: self._part(name, state) for name in names} for state, names in missing.items()}
        done = {state: min(part.done() for part in of.values()) for state, of in parts.items()}
        self._check_space(done)
        total, before = len(missing) * self._rows, sum(min(n * _CHUNK, self._rows) for n in done.values())
        progress(
            f"{self._what}: computing {total:,} once, {self.missing_bytes / 2**20:,.0f} MiB in {self.folder}"
            + (f"; {before:,} were done before" if before else "")
        )
        progressed = _Progress(self._what, total, before, progress)
        for state, of in parts.items():
            with self._writing(of.values()):
                for part in of.values():
                    part.keep(done[state])
            for rows in torch.arange(self._rows).split(_CHUNK)[done[state] :]:
                batch = pipeline.batch(rows, torch.full_like(rows, state))
                with torch.no_grad(), runtime.autocast():
                    features = compute(batch.images)
                with self._writing(of.values()):
                    for name, part in of.items():
                        part.append(features[name].to(self._dtype).cpu())
                progressed.add(len(rows))
            with self._writing(of.values()):
                for part in of.values():
                    part.finish()

    def _check_space(self, done: Mapping[int, int]) -> None:
        """Raise a UsageError if the disk has no room for what is missing."""
        needed = sum(
            self._file_bytes(name) - chunks * self._chunk_bytes(name)
            for state, chunks in done.items()
            for name in self._missing(state)
        )
        free = shutil.disk_usage(self.folder).free
        if needed > free:
            raise UsageError(
                f"{self._what} need {needed / 2**20:,.0f} MiB in {self.folder}, but its disk has {free / 2**20:,.0f} "
                f"MiB left; free some space or choose another folder"
            )

    @contextmanager
    def _writing(self, parts: Iterable[Part] = ()) -> Iterator[None]:
        """Turn an error of the file system into a UsageError; if the disk is full, remove the parts."""
        try:
            yield
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                for part in parts:
                    part.remove()
            raise UsageError(f"cannot write in {self.folder}: {error.strerror}; choose another folder") from error

    @contextmanager
    def _locked(self, progress: Callable[[str], None]) -> Iterator[None]:
        file = self.folder / f"{_hash(self._key)}.lock"
        with ExitStack() as until_built:
            with self._writing():
                self.folder.mkdir(parents=True, exist_ok=True)
                if not until_built.enter_context(held(file, seconds=1)):
                    progress(f"{self._what}: waiting for another process that computes them")
                    until_built.enter_context(held(file))
            yield

    def _map(self, name: Name, state: int) -> Tensor:
        shape = (self._rows, *self._features[name].shape)
        return torch.from_file(str(self._path(name, state)), size=math.prod(shape), dtype=self._dtype).view(shape)

    def _missing(self, state: int) -> list[Name]:
        """Return the features without a complete file; of those read at the same place, the first."""
        names = {self._path(name, state): name for name in reversed(list(self._features))}
        return [
            name
            for path, name in reversed(names.items())
            if not (path.exists() and path.stat().st_size == self._file_bytes(name))
        ]

    def _part(self, name: Name, state: int) -> Part:
        return Part(self._path(name, state), chunk_bytes=self._chunk_bytes(name))

    def _path(self, name: Name, state: int) -> Path:
        return self.folder / f"{_hash(f'{self._key}/{self._features[name].place}')}-{state}.bin"

    def _chunk_bytes(self, name: Name) -> int:
        return _CHUNK * math.prod(self._features[name].shape) * self._dtype.itemsize

    def _file_bytes(self, name: Name) -> int:
        return self._rows * math.prod(self._features[name].shape) * self._dtype.itemsize


class _Progress:
    """Says from time to time how many images are done."""

    def __init__(self, what: str, total: int, done: int, say: Callable[[str], None]) -> None:
        self._what, self._total, self._done, self._say = what, total, done, say
        self._started = self._last = time.monotonic()

    def add(self, rows: int) -> None:
        self._done += rows
        now = time.monotonic()
        if now - self._last >= max(_SECONDS, _SHARE * (now - self._started)) and self._done < self._total:
            self._last = now
            self._say(f"{self._what}: {self._done:,} of {self._total:,}")


def _hash(key: str) -> str:
    return hashlib.blake2b(key.encode(), digest_size=12).hexdigest()
