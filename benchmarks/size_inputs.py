"""The large inputs of `benchmarks.size`: tables and run folders, made up."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from fairdistill import train
from fairdistill.metrics import accuracy, deo_a, deo_m, group_counts
from fairdistill.runs import RunFolder

AUDITED = 1_000_000
CLASSES, GROUPS = 1000, 50
LISTED, FILES = 1_000_000, 1000
RECIPES, SEEDS, TESTED, EVALUATIONS = 15, 4, 10_000, 50

Ints = NDArray[np.int64]


def predictions_table(folder: Path) -> None:
    """Write a table of predictions with many classes and groups, as long as the data table."""
    generator = np.random.default_rng(0)
    labels, groups = generator.integers(0, CLASSES, AUDITED), generator.integers(0, GROUPS, AUDITED)
    right = generator.random(AUDITED) < 0.8 - 0.1 * (groups == 0)
    predicted = np.where(right, labels, generator.integers(0, CLASSES, AUDITED))
    classes = np.array([f"class {at:04d}" for at in range(CLASSES)])
    _write(
        folder / "predictions.csv",
        id=np.arange(AUDITED),
        label=classes[labels],
        group=np.array([f"group {at:02d}" for at in range(GROUPS)])[groups],
        pred=classes[predicted],
    )


def data_table(folder: Path) -> None:
    """Write a table of images, of which each file is named by many rows."""
    generator = np.random.default_rng(0)
    for file in range(FILES):
        pixels = generator.integers(0, 256, (16, 16, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"image{file:04d}.png")
    at = np.arange(LISTED)
    _write(
        folder / "table.csv",
        image=np.array([f"image{at:04d}.png" for at in range(FILES)])[at % FILES],
        label=np.array(["no", "yes"])[at % FILES % 2],
        group=np.array(["a", "b", "c"])[at % FILES % 3],
        split=np.array(["train", "train", "train", "val", "test"])[at % FILES % 5],
        person=at % FILES // 2,
    )


def run_folders(folder: Path) -> None:
    """Write finished runs of several recipes and seeds, with made-up predictions of a larger test set."""
    teacher, student = str(folder / "teacher"), str(folder / "student")
    train(data="digits-s", method="scratch", steps=16, out=teacher, threads=1)
    train(data="digits-s", method="mfd", teacher=teacher, steps=16, out=student, threads=1)
    generator = np.random.default_rng(0)
    labels, groups = np.arange(TESTED) // 2 % 10, np.arange(TESTED) % 2
    for seed in range(SEEDS):
        taught = _predictions(folder / f"teacher{seed}.csv", labels, groups, generator, right=0.7)
        for recipe in range(RECIPES):
            run = folder / "runs" / f"{recipe}-{seed}"
            shutil.copytree(folder / "student", run, ignore=shutil.ignore_patterns("checkpoint", "*predictions*"))
            shutil.copy(folder / f"teacher{seed}.csv", run / "teacher_predictions.csv")
            own = _predictions(run / "predictions.csv", labels, groups, generator, right=0.7 + 0.01 * recipe)
            _revise(run, own, taught, strength=1.0 + recipe, seed=seed)


def _revise(run: Path, own: Ints, taught: Ints, *, strength: float, seed: int) -> None:
    """Make the files of a copied run agree with its predictions, counts ``[G, C, C]``, and give it a longer log."""
    opened = RunFolder(run)
    config = (run / "config.yaml").read_text().replace("\nseed: 0\n", f"\nseed: {seed}\n")
    (run / "config.yaml").write_text(config.replace("mfd.strength: 3.0", f"mfd.strength: {strength}"))
    result = opened.result
    teacher = {**result["teacher"], **_scores(taught)}
    opened.write_json("result.json", {**result, **_scores(own), "counts": own, "test_rows": TESTED, "teacher": teacher})
    last = json.loads((run / "log.jsonl").read_text().splitlines()[-1])
    lines = (json.dumps({**last, "epoch": at + 1, "step": 8 * (at + 1)}) for at in range(EVALUATIONS))
    (run / "log.jsonl").write_text("\n".join([*lines, ""]))


def _scores(counts: Ints) -> dict[str, float]:
    return {"accuracy": accuracy(counts), "deo_a": deo_a(counts), "deo_m": deo_m(counts)}


def _predictions(path: Path, labels: Ints, groups: Ints, generator: np.random.Generator, *, right: float) -> Ints:
    """Write the predictions of a run; return their counts ``[G, C, C]``."""
    correct = generator.random(TESTED) < right - 0.1 * groups
    predicted = np.where(correct, labels, (labels + generator.integers(1, 10, TESTED)) % 10)
    sure = generator.uniform(0.2, 1, TESTED).round(6)
    probabilities = np.repeat(((1 - sure) / 9)[:, None], 10, axis=1)
    probabilities[np.arange(TESTED), predicted] = sure
    names = np.array([f"test-{at:05d}" for at in range(TESTED)])
    scores = {f"p_{label}": probabilities[:, label].round(7) for label in range(10)}
    _write(path, id=names, source_id=names, label=labels, group=groups, pred=predicted, **scores)
    return group_counts(labels, predicted, groups, num_classes=10, num_groups=2)


def teacher(folder: Path) -> None:
    """Train a teacher."""
    train(data="digits-s", method="scratch", steps=64, out=str(folder / "teacher"), threads=1)


def _write(path: Path, **columns: NDArray[np.generic]) -> None:
    pd.DataFrame(columns).to_csv(path, index=False)


INPUTS: Mapping[str, Callable[[Path], None]] = {
    "audit": predictions_table,
    "report": run_folders,
    "dry-run": lambda folder: None,
    "table": data_table,
    "flat": teacher,
}
"""What each task reads, written to a folder by a process of its own: a child's peak counts that of its parent."""


def main(task: str, folder: str) -> None:
    """Write the inputs of a task."""
    INPUTS[task](Path(folder))
    os.sync()
