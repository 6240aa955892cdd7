"""A picture of a run's features, and what they tell of the group; reads the run folder and its data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fairdistill import data
from fairdistill._version import __version__
from fairdistill.contract import check_seed, check_types
from fairdistill.data import GroupedDataset, Recipe
from fairdistill.data.images.augmentation import Pipeline
from fairdistill.embedding.tsne import Metric, kl_divergence, tsne
from fairdistill.errors import DataError, FairdistillError, TeacherError, UsageError
from fairdistill.metrics.leakage import leakage
from fairdistill.models import Tapped, find_taps, parse_taps
from fairdistill.predictions.trained_model import ModelSource, load_model
from fairdistill.runs import RunFolder, finite_or_null
from fairdistill.runs.load import load
from fairdistill.system.randomness import generator
from fairdistill.system.runtime import choose_runtime
from fairdistill.tables.reading import read_columns
from fairdistill.types import TapName

FORMAT_VERSION = 1

_BATCH = 500
_REMEDY = "give the data it was trained on with --data-root, or train anew"
_FEWEST = 4  # points at which a perplexity of (n - 1) / 3 is 1, the lowest there is


@dataclass(frozen=True, kw_only=True)
class EmbedOptions:
    """Options of ``embed``; the t-SNE settings are those of the paper's Figure 5 (supplement, section 1.4).

    Raises:
        UsageError: if a value is out of its range.

    Example:
        >>> EmbedOptions(dims=2).perplexity
        200.0
    """

    tap: TapName = "embedding"
    """Which feature: embedding (what the last layer reads), map, logits, or feature (what MFD reads)."""
    dims: int = 3
    """Dimensions of the picture, 3 or 2."""
    perplexity: float = 200.0
    """How many neighbours count; lowered to a third of the points where there are not so many."""
    early_exaggeration: float = 1.0
    """Factor of the attraction in the first 250 iterations, at least 1."""
    iterations: int = 250
    """Iterations, at least 250."""
    metric: Metric = "cosine"
    """Distance between features: cosine, euclidean or manhattan."""
    seed: int = 5
    """Seed of the picture, of the drawn rows and of the folds that leakage is measured on."""
    samples: int = 2000
    """At most this many test images in the picture, as many of each (class, group) cell; smaller cells are shown
    whole."""
    data_root: str | None = None
    """Folder where the data is now; default: where it was when the run was trained."""
    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda or cuda:N."""

    def __post_init__(self) -> None:
        check_types(self)
        if self.dims not in (2, 3):
            raise UsageError(f"expected dims to be 2 or 3, but got {self.dims}")
        for name, low in (("perplexity", 1), ("early_exaggeration", 1), ("iterations", 250), ("samples", _FEWEST)):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= low):
                raise UsageError(f"expected {name} to be at least {low}, but got {value}")
        check_seed("seed", self.seed)


def embed(path: str | Path, options: EmbedOptions) -> dict[str, Any]:
    """Put the test images of a finished run into a t-SNE picture and measure what their features tell of the group.

    The student and, where the run had one, the teacher are run over the test set, each with its own preparation of
    images, in float32. Leakage (:func:`fairdistill.metrics.leakage.leakage`) is of all test rows of known group,
    the picture of the drawn ones. Writes ``features.npz`` (``ids``, ``labels``, ``groups``, and the float32 features
    ``student`` and ``teacher`` of the drawn rows, the teacher's ``[n, 0]`` without one), then ``embedding.json``.

    Args:
        path: a finished run folder.
        options: of the picture.

    Returns:
        What ``embedding.json`` holds; undefined numbers are None. ``teacher`` is None where there is none, or it is no
        longer what taught the run; ``notes`` say why.

    Raises:
        RunFolderError: if there is no finished run.
        DataError: if the test rows are gone or are not those of the run.
        UsageError: if the network has no such feature, the sample is too small, or there is no such device.

    Example:
        >>> result = embed("runs/digits-s-mfd-seed0", EmbedOptions())  # doctest: +SKIP
    """
    run = RunFolder.open(path)
    result, config = run.result, run.config
    device = choose_runtime(options.device, "float32").device
    test = _test_rows(run, options)
    recorded = _check_rows(run, result, test)
    rows, notes = _draw(test, options)
    perplexity = options.perplexity
    if perplexity >= len(rows):
        perplexity = (len(rows) - 1) / 3
        notes.append(
            f"the perplexity is {perplexity:.4g}, a third of the {len(rows):,} points, since {options.perplexity:g} "
            "needs more"
        )
    with run.lock(), torch.random.fork_rng(devices=[]):  # a network that is made draws weights before it loads its own
        features, predicted = _features(
            load(path), test, test.recipe, options.tap, config["tap"], device, who="student"
        )
        changed = int((predicted != recorded).sum())
        if changed:
            notes.append(
                f"{changed:,} of {len(test):,} test images get another prediction than in predictions.csv: rounding "
                "explains a few, more mean that images have changed"
            )
        of_teacher = _teacher_features(config, result, test, options.tap, device, notes)
        content: dict[str, Any] = finite_or_null(
            {
                "format_version": FORMAT_VERSION,
                "settings": {**asdict(options), "perplexity": perplexity, "device": str(device)},
                "tap": options.tap,
                "n": len(rows),
                "per_cell": test.subset(rows).cell_counts().tolist(),
                "notes": notes,
                "made_with": _versions(),
                "class_names": test.class_names,
                "group_names": test.group_names,
                "rows": {
                    "ids": [test.ids[row] for row in rows.tolist()],
                    "labels": test.labels[rows].tolist(),
                    "groups": test.groups[rows].tolist(),
                    "pred": recorded[rows].tolist(),
                },
                "student": _described(features, rows, test, options, perplexity),
                "teacher": None if of_teacher is None else _described(of_teacher, rows, test, options, perplexity),
            }
        )
        run.write_arrays(
            "features.npz",
            {
                "ids": np.array([test.ids[row] for row in rows.tolist()]),
                "labels": test.labels[rows].numpy(),
                "groups": test.groups[rows].numpy(),
                "student": features[rows.numpy()],
                "teacher": np.empty((len(rows), 0), np.float32) if of_teacher is None else of_teacher[rows.numpy()],
            },
        )
        run.write_json("embedding.json", content)
    return content


def _test_rows(run: RunFolder, options: EmbedOptions) -> GroupedDataset:
    """Load the test split as the run's configuration says, from where it is now."""
    config = run.config
    name, root = config["data"], options.data_root or config["data_root"]
    if data.is_path(name) and not Path(name).exists():
        moved = Path(options.data_root or "", Path(name).name)
        if options.data_root is None or not moved.exists():
            raise DataError(
                f"the data of {run.path} is gone: there is no {moved if options.data_root else name}; say in which "
                "folder it is now with --data-root"
            )
        name = str(moved)
    parts = data.load_splits(name, ["test"], root=root, **config["data_options"])
    if "test" not in parts:
        raise DataError(f"the data of {run.path} has changed: {name} has no test rows any more; {_REMEDY}")
    return parts["test"]


def _check_rows(run: RunFolder, result: Mapping[str, Any], test: GroupedDataset) -> Tensor:
    """Check that the test rows are those of ``predictions.csv``; return the predictions there, int64 ``[N]``."""
    path = run.path / "predictions.csv"
    table = read_columns(path, ["id", "label", "group", "pred"], "utf-8").fillna("")
    then = list(zip(table["id"], table["label"], table["group"], strict=True))
    groups = ["" if group < 0 else str(group) for group in test.groups.tolist()]
    now = list(zip(test.ids, map(str, test.labels.tolist()), groups, strict=True))
    named = {name: list(getattr(test, name)) for name in ("class_names", "group_names")}
    found = None
    if len(now) != len(then):
        found = f"it has {len(now):,} test rows, the run was tested on {len(then):,}"
    elif now != then:
        row = next(row for row in range(len(now)) if now[row] != then[row])
        here, there = ("id {!r}, label {}, group {!r}".format(*values[row]) for values in (now, then))
        found = f"test row {row} has {here}, in {path} it has {there}"
    elif named != {name: result[name] for name in named}:
        found = f"its names are {named}, those of the run { ({name: result[name] for name in named}) }"
    if found is not None:
        raise DataError(f"the data of {run.path} has changed: {found}; {_REMEDY}")
    try:
        return torch.tensor([int(pred) for pred in table["pred"]])
    except ValueError as error:
        raise DataError(f"cannot read {path}: expected classes in its column pred, but {error}") from error


def _draw(test: GroupedDataset, options: EmbedOptions) -> tuple[Tensor, list[str]]:
    """Return the rows of the picture, in their order, and what there is to say of them."""
    cells = test.cell_counts()
    sizes = cells[cells > 0]
    if options.samples < len(sizes):
        raise UsageError(
            f"expected samples to be at least {len(sizes)}, one for each (class, group) cell of {test.name}, but got "
            f"{options.samples}"
        )
    wanted = options.samples // max(len(sizes), 1)
    order = torch.randperm(len(test), generator=generator(options.seed, "embedded rows"))
    chosen = []
    for label, group in (cells > 0).nonzero().tolist():
        of_cell = order[(test.labels[order] == label) & (test.groups[order] == group)]
        chosen.append(of_cell[:wanted])
    n = sum(map(len, chosen))
    if n < _FEWEST:
        raise DataError(
            f"{test.name} has {n} rows of known group; a t-SNE picture needs at least {_FEWEST}, so test on more"
        )
    notes = []
    unknown = test.num_unknown_groups
    if unknown:
        notes.append(f"{unknown:,} of {len(test):,} test images are left out, since their group is not known")
    empty = int((cells == 0).sum())
    if empty:
        notes.append(f"{empty} of {cells.numel()} (class, group) cells have no test image")
    small = int((sizes < wanted).sum())
    if small:
        notes.append(f"{small} of {len(sizes)} cells have fewer than {wanted:,} test images and are shown whole")
    return torch.cat(chosen).sort().values, notes


def _features(
    network: nn.Module,
    dataset: GroupedDataset,
    recipe: Recipe,
    tap: TapName,
    named: str | None,
    device: torch.device,
    *,
    who: str,
) -> tuple[NDArray[np.float32], Tensor]:
    """Return a feature of every row, flattened, float32 ``[N, D]``, and the predictions, int64 ``[N]``."""
    network.to(device).eval()
    points = find_taps(network, torch.zeros(1, 3, recipe.size, recipe.size, device=device), named=parse_taps(named))
    if tap not in points and tap != "logits":
        has = ", ".join(sorted({*points, "logits"}))
        raise UsageError(f"expected tap to be a feature that the {who}'s network has ({has}), but got {tap!r}")
    tapped = Tapped(network, {name: point for name, point in points.items() if name == tap})
    pipeline = Pipeline(dataset, device=device, seed=0, recipe=recipe)
    features, predicted = [], []
    with torch.no_grad():
        for rows in torch.arange(len(dataset)).split(_BATCH):
            taps = tapped(pipeline.batch(rows).images)
            features.append(taps[tap].float().flatten(1).cpu())
            predicted.append(taps["logits"].argmax(1).cpu())
    found = torch.cat(features)
    bad = (~found.isfinite().all(dim=1)).nonzero().flatten().tolist()
    if bad:
        raise UsageError(
            f"the {tap} features of the {who} are not finite, first for the image {dataset.ids[bad[0]]}; train it "
            "again with a smaller --lr"
        )
    return found.numpy(), torch.cat(predicted)


def _teacher_features(
    config: Mapping[str, Any],
    result: Mapping[str, Any],
    test: GroupedDataset,
    tap: TapName,
    device: torch.device,
    notes: list[str],
) -> NDArray[np.float32] | None:
    """Return the teacher's features; None if there was none, or, with a note, if it cannot be had any more."""
    if config["teacher"] is None:
        return None
    source = ModelSource(
        path=config["teacher"],
        network=config["teacher_model"],
        size=config["teacher_size"],
        mean=config["teacher_mean"],
        std=config["teacher_std"],
    )
    try:
        model = load_model(source, test)
        if model.digest != result["digests"]["teacher"]:
            raise TeacherError(f"{source.path} has other weights than when it taught this run")
        return _features(model.network, test, model.recipe, tap, config["teacher_tap"], device, who="teacher")[0]
    except FairdistillError as error:  # the student is worth a picture of its own
        notes.append(f"the teacher is left out: {error}")
        return None


def _described(
    features: NDArray[np.float32], rows: Tensor, test: GroupedDataset, options: EmbedOptions, perplexity: float
) -> dict[str, Any]:
    """Return the picture of the drawn rows and the leakage of all."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # comes with scikit-learn

    drawn = features[rows.numpy()]
    # The order of sums moves points by 1% of the picture's size: one thread gives one picture on every machine. On two
    # busy cores it is also twice as fast as two (1,194 points: 5 to 9 s).
    with threadpool_limits(1):
        coordinates = tsne(
            drawn,
            dims=options.dims,
            perplexity=perplexity,
            early_exaggeration=options.early_exaggeration,
            iterations=options.iterations,
            metric=options.metric,
            seed=options.seed,
        )
        divergence = kl_divergence(drawn, coordinates, perplexity=perplexity, metric=options.metric)
        found = leakage(
            features,
            test.labels.numpy(),
            test.groups.numpy(),
            sources=test.source_ids,
            num_classes=test.num_classes,
            num_groups=test.num_groups,
            seed=options.seed,
        )
    return {
        "coordinates": [[float(f"{value:.4g}") for value in point] for point in coordinates.tolist()],
        "kl_divergence": divergence,
        "leakage": asdict(found),
    }


def _versions() -> dict[str, str]:
    import sklearn

    return {
        "fairdistill": __version__,
        "torch": torch.__version__,
        "scikit-learn": sklearn.__version__,
        "numpy": np.__version__,
    }
