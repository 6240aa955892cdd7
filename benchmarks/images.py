"""The training pipeline for image files against torchvision's ImageFolder, transforms and DataLoader.

Both read the same folder of images with the same number of workers, on the same CPU, and give batches of normalised
float32 images, each for the same number of epochs in a row, as in training; epoch 1, in which workers start and the
cache is made, is measured apart, five times in turn.
Only the growth of anonymous memory counts as memory: mapped pages of the cache can be taken back at any time.

A second table compares a cache of raw pixels with one of JPEG files: epochs in turn, their size on the disk, and how
far the pixels of training batches are apart.

    python -m benchmarks.images --data DIR [--rounds 5] [--workers 2]
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fairdistill.data import GroupedDataset, ImageFiles, Pipeline, Recipe
from fairdistill.data.images.decoding import Decoding
from fairdistill.data.images.reading import Storage, scan
from fairdistill.data.images.sources import Folder
from fairdistill.data.own.options import IMAGENET_MEAN, IMAGENET_STD
from fairdistill.system.memory import keep_freed_memory
from fairdistill.system.vision import import_torchvision

BATCH = 128
FIRST_EPOCHS = 5
RECIPES = {
    "64 px, random crop from 72, flip": Recipe(
        size=64, stored=(72, 72), crop="random", flip=True, mean=IMAGENET_MEAN, std=IMAGENET_STD
    ),
    "UTKFace: 176 px, random crop from 256, flip": Recipe(
        size=176, stored=(256, 256), crop="random", flip=True, mean=IMAGENET_MEAN, std=IMAGENET_STD
    ),
    "CelebA: 176 px, random resized crop from 218x178, flip": Recipe(
        size=176, stored=(218, 178), crop="resized", flip=True, mean=IMAGENET_MEAN, std=IMAGENET_STD
    ),
}


def ours(
    root: Path, names: list[str], recipe: Recipe, cache: Path, workers: int, *, jpeg: bool = False
) -> Callable[[int], Iterator[Tensor]]:
    """Return a function from an epoch's number to its batches; the first call makes the cache."""
    made: list[Pipeline] = []

    def make() -> Pipeline:
        storage = Storage(cache, workers, Decoding(jpeg=jpeg))
        source = Folder(root)
        found = scan(source, names, storage, recipe.training_view)
        n = len(names)
        images = ImageFiles(source, _objects(names), storage, found.digests, found.facts)
        dataset = GroupedDataset(
            name="images/train",
            images=images,
            labels=torch.zeros(n, dtype=torch.int64),
            groups=torch.zeros(n, dtype=torch.int64),
            ids=tuple(names),
            source_ids=tuple(names),
            class_names=("a", "b"),
            group_names=("x", "y"),
            recipe=recipe,
        )
        return Pipeline(dataset, device=torch.device("cpu"), seed=0)

    def epoch(number: int) -> Iterator[Tensor]:
        if not made:
            made.append(make())
        order = torch.randperm(len(names), generator=torch.Generator().manual_seed(number))
        for step, rows in enumerate(order.split(BATCH)):
            yield made[0].train_batch(rows, step=number * 1000 + step).images

    return epoch


def theirs(root: Path, recipe: Recipe, workers: int) -> Callable[[int], Iterator[Tensor]]:
    """Return the same with ImageFolder, transforms as users write them, and a DataLoader that keeps its workers."""
    torchvision = import_torchvision()
    from torchvision import datasets, transforms

    del torchvision
    if recipe.crop == "random":
        first: list[Any] = [transforms.Resize(recipe.stored), transforms.RandomCrop(recipe.size)]
    else:
        first = [transforms.RandomResizedCrop(recipe.size)]
    chain = transforms.Compose(
        [
            *first,
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(recipe.mean, recipe.std),
        ]
    )
    loader = torch.utils.data.DataLoader(
        datasets.ImageFolder(str(root), chain),
        batch_size=BATCH,
        shuffle=True,
        num_workers=workers,
        persistent_workers=True,
    )

    def epoch(number: int) -> Iterator[Tensor]:
        for images, _ in loader:
            yield images

    return epoch


def compare_formats(root: Path, names: list[str], options: argparse.Namespace) -> None:
    """Print a row for each recipe: JPEG beside raw pixels."""
    print(
        "\n| recipe | raw, images/s | JPEG, images/s | ratio | disk, raw | disk, JPEG | ratio | pixels apart, of 255 |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for label, recipe in RECIPES.items():
        with tempfile.TemporaryDirectory() as folder:
            places = [Path(folder) / name for name in ("raw", "jpeg")]
            raw, jpeg = (
                ours(root, names, recipe, place, options.workers, jpeg=place.name == "jpeg") for place in places
            )
            seconds(raw(0)), seconds(jpeg(0))
            times = [(seconds(raw(number)), seconds(jpeg(number))) for number in range(1, options.rounds + 1)]
            speed, other = (len(names) / statistics.median(each) for each in zip(*times, strict=True))
            sizes = [on_disk(place) for place in places]
            apart = torch.cat([difference(*pair, recipe) for pair in zip(raw(99), jpeg(99), strict=True)])
            print(
                f"| {label} | {speed:,.0f} | {other:,.0f} | {shown([a / b for a, b in times], 2)} "
                f"| {sizes[0] / 2**20:,.0f} MiB | {sizes[1] / 2**20:,.0f} MiB | {sizes[0] / sizes[1]:.1f} "
                f"| mean {apart.mean():.2f}, 99% within {torch.quantile(apart, 0.99):.0f} |",
                flush=True,
            )


def on_disk(folder: Path) -> int:
    """Return the disk space that files take; holes take none."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def difference(one: Tensor, other: Tensor, recipe: Recipe) -> Tensor:
    """Return how far pixels of two batches are apart, in values of 255, for some of them."""
    apart = (one - other).abs() * torch.tensor(recipe.std).view(3, 1, 1) * 255
    return apart.flatten()[::997].round()


def seconds(epoch: Iterator[Tensor]) -> float:
    """Return how long a pass over the batches takes."""
    start = time.perf_counter()
    for _ in epoch:
        pass
    return time.perf_counter() - start


def anonymous_bytes() -> int:
    """Return this process's resident memory that no file backs."""
    found = re.search(r"RssAnon:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder whose sub-folders hold images")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--formats", action="store_true", help="compare only the formats of the cache")
    options = parser.parse_args()
    keep_freed_memory()  # as the command line does; the peer's process is this one
    root = options.data.absolute()
    names = sorted(p.relative_to(root).as_posix() for p in root.rglob("*.jpg"))
    print(f"{len(names):,} images of {root.name}; batch {BATCH}; {options.workers} workers; {options.rounds} rounds; ")
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, CPU\n")
    if options.formats:
        compare_formats(root, names, options)
        return
    print("| recipe | ours, images/s | torchvision, images/s | ratio | ratio, epoch 1 | anonymous memory |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for label, recipe in RECIPES.items():
        firsts = []
        for _ in range(FIRST_EPOCHS):  # every time with new workers, and a new cache
            with tempfile.TemporaryDirectory() as folder:
                peer = theirs(root, recipe, options.workers)
                own = ours(root, names, recipe, Path(folder), options.workers)
                firsts.append(seconds(peer(0)) / seconds(own(0)))
        with tempfile.TemporaryDirectory() as folder:
            own = ours(root, names, recipe, Path(folder), options.workers)
            seconds(own(0))
            before = anonymous_bytes()
            epochs = range(1, options.rounds + 1)
            own_times = [seconds(own(number)) for number in epochs]  # one after the other, as in training
            grown = anonymous_bytes() - before
            times = list(zip(own_times, [seconds(peer(number)) for number in epochs], strict=True))
            speed, other = (len(names) / statistics.median(each) for each in zip(*times, strict=True))
            print(
                f"| {label} | {speed:,.0f} | {other:,.0f} | {shown([b / a for a, b in times], 1)} "
                f"| {shown(firsts, 2)} | {grown / 2**20:+.0f} MiB |",
                flush=True,
            )
    compare_formats(root, names, options)


def shown(ratios: Sequence[float], digits: int) -> str:
    """Return the median, the smallest and the largest."""
    return f"{statistics.median(ratios):.{digits}f} [{min(ratios):.{digits}f}, {max(ratios):.{digits}f}]"


def _objects(names: list[str]) -> Any:
    import numpy as np

    return np.array(names, object)


if __name__ == "__main__":
    main()
