"""CIFAR-10S: CIFAR-10 in which half of the classes are mostly grey and the other half mostly in colour.

The data set of Jung et al., *Fair Feature Distillation for Visual Recognition* (CVPR 2021), after Wang et al.,
*Towards Fairness in Visual Recognition* (CVPR 2020), made from the official CIFAR-10 files of A. Krizhevsky,
*Learning Multiple Layers of Features from Tiny Images* (2009).
"""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import tarfile
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fairdistill.contract import check_seed, check_share, check_types
from fairdistill.data.datasets.download import fetch
from fairdistill.data.recipe import Recipe
from fairdistill.data.rows import Split
from fairdistill.errors import ChecksumError, DataError
from fairdistill.system.folders import data_folder

# torch is imported where it is used, so that a command's help does not wait for it.
if TYPE_CHECKING:
    from torch import Tensor

    from fairdistill.data.dataset import GroupedDataset

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
ARCHIVE = "cifar-10-python.tar.gz"
FOLDER = "cifar-10-batches-py"

# The md5 sums that the CIFAR-10 page and torchvision publish.
MD5: dict[str, str] = {
    ARCHIVE: "c58f30108f718f92721af3b95e74349a",
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}

_LARGEST = 64 << 20  # bytes of a member that are read; a batch has 30 MiB

CLASS_NAMES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
GROUP_NAMES = ("grey", "colour")
RECIPE = Recipe(size=32, flip=True)


@dataclass(frozen=True, kw_only=True)
class Cifar10SOptions:
    """Options of ``cifar10s``."""

    skew: float = 0.8
    """Fraction of each class's training images that belong to the majority group of that class."""
    data_seed: int = 0
    """Seed that selects the grey training images."""
    download: bool = field(default=False, metadata={"identity": False})
    """Download the official archive into the data root if it is missing."""

    def __post_init__(self) -> None:
        check_types(self)
        check_share("skew", self.skew)
        check_seed("data_seed", self.data_seed)


def load(wanted: Collection[Split], root: Path | None, options: Cifar10SOptions) -> dict[Split, GroupedDataset]:
    """Read the official files and return the skewed training set and the balanced test set.

    Train: 50,000 images, each grey or in colour by ``skew`` and ``data_seed``. Test: the 10,000 test images in
    grey, then the same 10,000 in colour, so that both groups show the same images.
    """
    found: dict[Split, GroupedDataset] = {}
    if "train" in wanted or "test" in wanted:
        read = _open(root, download=options.download)
        if "train" in wanted:
            found["train"] = _train(read, options)
        if "test" in wanted:
            found["test"] = _test(read)
    return found


def _test(read: Callable[[str], bytes]) -> GroupedDataset:
    import torch

    images, labels = _decode(read("test_batch"), "test_batch")
    n = len(images)
    return _dataset(
        "test",
        images=torch.cat([to_grey(images), images]),
        labels=labels.repeat(2),
        groups=torch.arange(2).repeat_interleave(n),
        numbers=list(range(n)) * 2,
        suffix=True,
    )


def _train(read: Callable[[str], bytes], options: Cifar10SOptions) -> GroupedDataset:
    import torch

    from fairdistill.data.datasets.skew import legacy_permutation, skewed_groups

    parts = [_decode(read(name), name) for name in MD5 if name.startswith("data_batch")]
    images = torch.cat([part[0] for part in parts])
    labels = torch.cat([part[1] for part in parts])
    order = legacy_permutation(len(labels), options.data_seed)
    groups = skewed_groups(labels, order, skew=options.skew, num_classes=len(CLASS_NAMES))
    grey = groups == 0
    images[grey] = to_grey(images[grey])
    return _dataset(
        "train", images=images, labels=labels, groups=groups, numbers=list(range(len(labels))), suffix=False
    )


def to_grey(images: Tensor) -> Tensor:
    """Return uint8 ``[N, 3, H, W]`` images in grey, repeated on three channels; equal to Pillow's mode "L".

    L = (19595 R + 38470 G + 7471 B + 32768) >> 16, the fixed-point form of ITU-R 601-2 luma in Pillow.
    """
    import torch

    red, green, blue = images.to(torch.int32).unbind(1)
    luma = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16
    return luma.to(torch.uint8).unsqueeze(1).expand_as(images).contiguous()


def _dataset(
    split: str, *, images: Tensor, labels: Tensor, groups: Tensor, numbers: list[int], suffix: bool
) -> GroupedDataset:
    from fairdistill.data.dataset import GroupedDataset

    sources = tuple(f"{split}-{number:05d}" for number in numbers)
    ids = sources
    if suffix:
        ids = tuple(f"{source}-{GROUP_NAMES[group]}" for source, group in zip(sources, groups.tolist(), strict=True))
    return GroupedDataset(
        name=f"cifar10s/{split}",
        images=images,
        labels=labels,
        groups=groups,
        ids=ids,
        source_ids=sources,
        class_names=CLASS_NAMES,
        group_names=GROUP_NAMES,
        recipe=RECIPE,
    )


def _open(root: Path | None, *, download: bool) -> Callable[[str], bytes]:
    """Return a function from a batch's name to its verified bytes, from the folder or the archive."""
    root = root or data_folder()
    if root is None:
        raise DataError(
            "cifar10s needs the folder that holds the official CIFAR-10 files: pass --data-root DIR "
            f"(or set FAIRDISTILL_DATA) where DIR holds {FOLDER}/ or {ARCHIVE}; with --download the archive "
            f"is downloaded there from {URL}"
        )
    batches = [name for name in MD5 if name != ARCHIVE]
    folder = next((path for path in (root / FOLDER, root) if any((path / name).exists() for name in batches)), None)
    if folder is not None:
        return lambda name: _verified(folder / name, name)
    archive = root if root.is_file() else root / ARCHIVE
    if not archive.exists() and download:
        fetch(URL, archive, md5=MD5[ARCHIVE])
    if not archive.exists():
        raise DataError(
            f"found neither {FOLDER}/ nor {ARCHIVE} in {root}. Download {URL} into that folder, choose another one "
            "with --data-root, or add --download"
        )
    members = _unpacked(archive)
    return lambda name: _check(_member(members, name, archive), name, f"{archive}:{FOLDER}/{name}")


class _Unzipped(gzip.GzipFile):
    """A gzip file of which nobody reads more at a time than a batch of the official archive takes."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= _LARGEST:
            raise tarfile.ReadError(f"it holds a member of more than {_LARGEST >> 20} MiB")
        return super().read(size)


def _unpacked(archive: Path) -> Mapping[str, bytes]:
    members: dict[str, bytes] = {}
    try:
        with _Unzipped(archive) as unzipped, tarfile.open(fileobj=unzipped, mode="r:") as tar:
            for member in tar:
                name = member.name.rsplit("/", 1)[-1]
                if name not in MD5 or not member.isreg():
                    continue
                if member.size > _LARGEST:  # before anything is allocated for it
                    raise tarfile.ReadError(f"its member {member.name} has {member.size:,} bytes")
                stream = tar.extractfile(member)
                assert stream is not None
                members[name] = stream.read()
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise DataError(
            f"{archive} is not a complete gzipped tar archive ({error}). Delete it and download {URL} again"
        ) from error
    return members


def _member(members: Mapping[str, bytes], name: str, archive: Path) -> bytes:
    if name not in members:
        raise DataError(f"{archive} does not contain {FOLDER}/{name}. Delete it and download {URL} again")
    return members[name]


def _verified(path: Path, name: str) -> bytes:
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:  # reading a pipe or a device would not end
            raise DataError(f"{path} is not a file of the official size. Delete it and download {URL} again")
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}. Download {URL} again") from error
    return _check(content, name, str(path))


def _check(content: bytes, name: str, where: str) -> bytes:
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != MD5[name]:
        raise ChecksumError(
            f"{where} has md5 {found}, but the official file has {MD5[name]}; it was not opened. "
            f"Delete it and download {URL} again"
        )
    return content


class _ArrayUnpickler(pickle.Unpickler):
    """Reads the containers and NumPy arrays of these files, and nothing else."""

    _ALLOWED: Mapping[tuple[str, str], Any] = {
        ("numpy.core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,  # type: ignore[attr-defined]  # what NumPy 1 pickles name; NumPy keeps it for them
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it refers to {module}.{name}") from None


def _decode(content: bytes, name: str) -> tuple[Tensor, Tensor]:
    """Return the images, uint8 ``[N, 3, 32, 32]``, and classes, int64 ``[N]``, of one verified batch."""
    import torch

    try:
        batch = _ArrayUnpickler(io.BytesIO(content), encoding="bytes").load()
        images = torch.from_numpy(batch[b"data"].reshape(-1, 3, 32, 32).copy())
        labels = torch.tensor(batch[b"labels"], dtype=torch.int64)
    except (pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{name} is not a CIFAR-10 batch: {error}") from error
    return images, labels
