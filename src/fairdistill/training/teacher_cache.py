"""The teacher's features, computed once for every image and augmentation state.

There is one file per feature, keyed by everything it depends on, so methods with the same teacher share it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import filelock
import torch
from torch import Tensor

from fairdistill.data import Pipeline
from fairdistill.models import Teacher
from fairdistill.system.runtime import Runtime
from fairdistill.types import Batch, TapName, Taps

_CHUNK = 500  # fixed, so that a rebuilt cache is identical bit for bit


class LiveTeacher:
    """Runs the teacher on every batch.

    Args:
        teacher: the frozen teacher.
        runtime: device and precision.
        taps: the features to return.
        pipeline: prepares the teacher's images, if they differ from the student's: the same crops and
            changes of the same images, at the teacher's size, mean and standard deviation.
    """

    def __init__(
        self, teacher: Teacher, runtime: Runtime, taps: frozenset[TapName], *, pipeline: Pipeline | None = None
    ) -> None:
        self._teacher = teacher
        self._runtime = runtime
        self._taps = taps
        self._pipeline = pipeline

    def __call__(self, batch: Batch) -> Taps:
        """Return the features of a batch."""
        images = batch.images
        if self._pipeline is not None:
            images = self._pipeline.images(batch.index, batch.state, batch.boxes, batch.operations)
        with self._runtime.autocast():
            features = self._teacher(images)
        return {name: features[name] for name in self._taps}


class CachedTeacher:
    """Looks up the teacher's features.

    Args:
        features: ``[states * rows, ...]`` for each tap, on the device or memory-mapped.
        rows: images in the data set.
        device: the device of the batches.
    """

    def __init__(self, features: dict[TapName, Tensor], *, rows: int, device: torch.device) -> None:
        self._features = features
        self._rows = rows
        self._device = device

    def __call__(self, batch: Batch) -> Taps:
        """Return the features of a batch."""
        at = batch.state * self._rows + batch.index
        return {
            name: values.index_select(0, at.to(values.device)).to(self._device, non_blocking=True)
            for name, values in self._features.items()
        }


class TeacherCache:
    """The features of a teacher for one data set, on disk.

    Args:
        folder: the cache's folder.
        key: everything the features depend on: teacher, data, preprocessing, precision.
        shapes: the shape of each feature, without the batch dimension.
        rows: images in the data set.
        states: augmentation states per image.
        dtype: the precision the teacher computes in and the features are stored in.
    """

    def __init__(
        self,
        folder: Path,
        *,
        key: str,
        shapes: dict[TapName, tuple[int, ...]],
        rows: int,
        states: int,
        dtype: torch.dtype,
    ) -> None:
        self._folder = folder
        self._key = hashlib.blake2b(key.encode(), digest_size=12).hexdigest()
        self._shapes = shapes
        self._rows = rows
        self._states = states
        self._dtype = dtype

    @property
    def folder(self) -> Path:
        """The cache's folder."""
        return self._folder

    @property
    def num_bytes(self) -> int:
        """Total size of the features."""
        return sum(self._tap_bytes(name) for name in self._shapes)

    @property
    def missing_bytes(self) -> int:
        """Size of the features that are not on disk yet."""
        return sum(self._tap_bytes(name) for name in self._missing())

    def load(
        self,
        teacher: Teacher,
        pipeline: Pipeline,
        runtime: Runtime,
        *,
        memory: int,
        progress: Callable[[str], None],
    ) -> CachedTeacher:
        """Return the features, computing those that are missing.

        Args:
            teacher: the frozen teacher.
            pipeline: prepares its images.
            runtime: device and precision.
            memory: keep the features in memory up to this many bytes; memory-map them otherwise.
            progress: called with a message about what is computed.
        """
        if self._missing():
            self._folder.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(self._folder / f"{self._key}.lock"):
                if self._missing():  # another process may have built it in the meantime
                    progress(
                        f"teacher outputs: computing {self._states * self._rows:,} once, "
                        f"{self.missing_bytes / 2**20:,.0f} MiB in {self._folder}"
                    )
                    self._build(teacher, pipeline, runtime)
        in_memory = self.num_bytes <= memory
        features = {}
        for name in self._shapes:
            mapped = self._map(self._path(name), name, writable=False)
            features[name] = mapped.to(runtime.device, copy=True) if in_memory else mapped
        return CachedTeacher(features, rows=self._rows, device=runtime.device)

    def _build(self, teacher: Teacher, pipeline: Pipeline, runtime: Runtime) -> None:
        missing = self._missing()
        parts = {name: self._path(name).with_suffix(".part") for name in missing}
        outputs = {name: self._map(part, name, writable=True) for name, part in parts.items()}
        for state in range(self._states):
            for rows in torch.arange(self._rows).split(_CHUNK):
                batch = pipeline.batch(rows, torch.full_like(rows, state))
                with runtime.autocast():
                    features = teacher(batch.images)
                start = state * self._rows + int(rows[0])
                for name in missing:
                    outputs[name][start : start + len(rows)] = features[name].to(self._dtype).cpu()
        del outputs
        for name, part in parts.items():
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.replace(self._path(name))

    def _map(self, path: Path, name: TapName, *, writable: bool) -> Tensor:
        shape = (self._states * self._rows, *self._shapes[name])
        numbers = self._tap_bytes(name) // self._dtype.itemsize
        if writable:
            with path.open("wb") as file:
                # A full disk raises an error here; without this it would crash the process in the mapped file.
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file.fileno(), 0, self._tap_bytes(name))
                else:
                    file.truncate(self._tap_bytes(name))
        return torch.from_file(str(path), shared=writable, size=numbers, dtype=self._dtype).view(shape)

    def _missing(self) -> list[TapName]:
        return [
            name
            for name in self._shapes
            if not (self._path(name).exists() and self._path(name).stat().st_size == self._tap_bytes(name))
        ]

    def _path(self, name: TapName) -> Path:
        return self._folder / f"{self._key}-{name}.bin"

    def _tap_bytes(self, name: TapName) -> int:
        return self._states * self._rows * torch.Size(self._shapes[name]).numel() * self._dtype.itemsize
