"""Images inside a Parquet file against the same images in a folder: speed, and memory as the file grows.

    python -m benchmarks.parquet [--images 3000] [--times 4] [--side 128] [--rounds 3] [--workers 1]

Images are drawn and saved as JPEG, in row groups of 500. Each round decodes them once into a new image cache, from the
folder and from the Parquet file in turn, each in a process of its own; then a Parquet file with `--times` as many. Time
is that of loading the data set, without the start of the process. Memory is the growth of the largest resident memory
while it is loaded. It holds what is kept of each row (its name, hash, class, group and source), so what counts is how
much it grows for each image that is added, beside the size of that image in the file.

At the end two processes load the larger file at once: how many images each of them decoded, row group by row group.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

MIB = 2**20
ROW_GROUP = 500
FIRST = "20.parquet"
_ONE_CORE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Loaded:
    """What loading took: seconds, by how many bytes the peak of resident memory grew, and images decoded."""

    seconds: float
    grown: float
    decoded: int


def drawn(count: int, side: int) -> Iterator[bytes]:
    """Yield images as JPEG: coarse squares of random colors with fine noise, all different."""
    generator = np.random.default_rng(0)
    for _ in range(count):
        coarse = generator.integers(0, 256, (8, 8, 3)).repeat(-(-side // 8), axis=0).repeat(-(-side // 8), axis=1)
        noisy = coarse[:side, :side] + generator.integers(-12, 13, (side, side, 3))
        file = io.BytesIO()
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
        yield file.getvalue()


def write(folder: Path, count: int, side: int, *, files: bool) -> Path:
    """Write a Parquet file of images, and with ``files`` also the images and a table that names them."""
    import pyarrow
    import pyarrow.parquet

    path = folder / f"{count}.parquet"
    facts = [(["no", "yes"][at % 2], ["a", "b", "c"][at % 3], ["train", "test"][at % 5 == 0]) for at in range(count)]
    names = ("label", "group", "split")
    schema = pyarrow.schema([("image", pyarrow.binary()), *((name, pyarrow.string()) for name in names)])
    with pyarrow.parquet.ParquetWriter(path, schema) as writer:
        images = drawn(count, side)
        for start in range(0, count, ROW_GROUP):
            rows = facts[start : start + ROW_GROUP]
            group = [next(images) for _ in rows]
            columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
            writer.write_table(pyarrow.table({"image": group, **columns}, schema=schema))
            for at, content in enumerate(group if files else (), start):
                (folder / f"{at}.jpg").write_bytes(content)
    if files:
        lines = [f"{at}.jpg,{','.join(each)}" for at, each in enumerate(facts)]
        (folder / "images.csv").write_text("\n".join([f"image,{','.join(names)}", *lines, ""]))
    return path


def load(table: str, first: str, side: str, cache: str, workers: str) -> None:
    """Load a few images, so that all code is there; then a data set into a cache, and print what that took."""
    from fairdistill import data
    from fairdistill.data.images import cache as image_cache
    from fairdistill.system.memory import keep_freed_memory

    keep_freed_memory()  # as the command line does
    options: dict[str, Any] = {"size": int(side), "image_cache": cache, "workers": int(workers)}
    data.load_splits(first, **options)
    real, decoded = vars(image_cache)["decode"], list[int]()

    def counted(*given: object) -> object:
        decoded.append(1)
        return real(*given)

    vars(image_cache)["decode"] = counted
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    data.load_splits(table, **options)
    took = time.perf_counter() - start
    print(took, 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before), len(decoded))


def started(table: Path, cache: Path, options: argparse.Namespace) -> subprocess.Popen[str]:
    """Start a process that loads a data set."""
    code = "import sys; from benchmarks import parquet; parquet.load(*sys.argv[1:])"
    first = table.with_name(FIRST)
    command = [sys.executable, "-c", code, *map(str, (table, first, options.side, cache, options.workers))]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, **_ONE_CORE}
    )


def ended(process: subprocess.Popen[str]) -> Loaded:
    """Return what such a process has printed."""
    said = process.communicate()[0].split()
    if process.returncode:
        raise SystemExit("loading failed")
    return Loaded(float(said[0]), float(said[1]), int(said[2]))


def measured(table: Path, options: argparse.Namespace) -> Loaded:
    """Load a data set into a new cache."""
    with tempfile.TemporaryDirectory() as cache:
        return ended(started(table, Path(cache), options))


def spread(values: list[float], digits: int = 0) -> str:
    """Return the median with the smallest and the largest."""
    shown = [f"{value:,.{digits}f}" for value in (statistics.median(values), min(values), max(values))]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=int, default=3000)
    parser.add_argument("--times", type=int, default=4, help="how many times as many the larger file holds")
    parser.add_argument("--side", type=int, default=128, help="of the images, in pixels")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1, help="decoding threads of each process")
    options = parser.parse_args()
    small, large = options.images, options.images * options.times
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, 20, options.side, files=False)
        tables = {
            "folder": folder / "images.csv",
            "Parquet": write(folder, small, options.side, files=True),
            "larger": write(folder, large, options.side, files=False),
        }
        rounds = [{name: measured(table, options) for name, table in tables.items()} for _ in range(options.rounds)]
        sizes = {name: tables[name].stat().st_size for name in ("Parquet", "larger")}
        with tempfile.TemporaryDirectory() as cache:
            pair = [started(tables["larger"], Path(cache), options) for _ in range(2)]
            shares = sorted(ended(process).decoded for process in pair)
    print(f"{options.rounds} rounds: median [smallest, largest]; {options.side} px; {options.workers} workers\n")
    print("| source | images | size, MiB | images/s | memory, MiB |\n| --- | ---: | ---: | ---: | ---: |")
    for name, count in (("folder", small), ("Parquet", small), ("larger", large)):
        found = [each[name] for each in rounds]
        size = f"{sizes[name] / MIB:,.0f}" if name in sizes else ""
        print(
            f"| {'Parquet' if name == 'larger' else name} | {count:,} | {size} | "
            f"{spread([count / each.seconds for each in found])} | {spread([each.grown / MIB for each in found])} |"
        )
    ratios = [each["folder"].seconds / each["Parquet"].seconds for each in rounds]
    added = [(each["larger"].grown - each["Parquet"].grown) / (large - small) for each in rounds]
    print(f"\nParquet against the folder: {spread(ratios, 2)} times as many images/s")
    print(
        f"an image more takes {spread(added)} bytes of memory, and "
        f"{(sizes['larger'] - sizes['Parquet']) / (large - small):,.0f} in the file"
    )
    print(f"two processes at once: {' and '.join(f'{each:,}' for each in shares)} of {large:,} images")
    from benchmarks.timing import hardware  # loads PyTorch

    print(f"\n{hardware()}")


if __name__ == "__main__":
    main()
