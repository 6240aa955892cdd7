"""Run folders of a teacher and students on a drawn test set, written as the trainer writes them, without training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fairdistill.metrics import deo_a, deo_m, empty_cells, group_counts
from fairdistill.runs.folder import RunFolder

CLASSES = ("<script>alert(1)</script>", "b & c", "*d*")
GROUPS = ("x|y", "z")
ROWS = 600

CONFIG = {
    "data": "made-up", "data_root": None, "data_options": {"data_seed": 0}, "protocol": "honest", "model": "digit_net",
    "init": "scratch", "batch_size": 128, "optimizer": "adam", "lr": 0.001, "weight_decay": 0.0, "schedule": "plateau",
    "set": {}, "out": "somewhere", "split_seed": 0, "teacher": None,
}  # fmt: skip
ENVIRONMENT = {
    "fairdistill": "1.2.3", "commit": "0123456789abcdef", "packages": {"torch": "2.13.0"}, "processor": "CPU",
    "device": "cpu (2 threads), float32",
}  # fmt: skip


def made_run(
    path: Path,
    *,
    gap: float,
    seed: int = 0,
    teacher_gap: float | None = None,
    notes: tuple[str, ...] = (),
    **config: Any,
) -> RunFolder:
    """Write a finished run whose second group is recognised ``gap`` less often."""
    labels, groups = np.arange(ROWS) % 3, np.arange(ROWS) // 3 % 2
    run = RunFolder.create(path, config={**CONFIG, "seed": seed, **config}, environment=ENVIRONMENT)
    ids = [f"{row}.png" for row in range(ROWS)]

    def predictions(name: str, gap: float, seed: int) -> np.ndarray:
        draw = np.random.default_rng(seed)
        right = draw.random(ROWS) < 0.9 - gap * groups
        said = np.where(right, labels, (labels + 1) % 3)
        probabilities = np.full((ROWS, 3), 0.1, np.float32)
        probabilities[np.arange(ROWS), said] = 0.8
        run.write_predictions(
            name, ids=ids, source_ids=ids, labels=labels.tolist(), groups=groups.tolist(), probabilities=probabilities
        )
        return said

    counts = group_counts(labels, predictions("predictions.csv", gap, seed), groups, num_classes=3, num_groups=2)
    if teacher_gap is not None:
        predictions("teacher_predictions.csv", teacher_gap, 100 + seed)
    for step in (10, 20):
        run.append_log({"step": step, "evaluation": {"accuracy": 0.5 + step / 100, "deo_a": None}})
    taught = None if teacher_gap is None else {"method": "scratch", "protocol": "honest", "steps": 20}
    result = {
        "accuracy": float(np.einsum("gcc->", counts) / ROWS), "deo_a": deo_a(counts), "deo_m": deo_m(counts),
        "counts": counts, "empty_cells": empty_cells(counts), "collapsed": False, "class_names": CLASSES,
        "group_names": GROUPS, "test_rows": ROWS, "unknown_groups": {"train": 1, "validation": 0, "test": 0},
        "notes": notes, "skipped_images": 2, "teacher": taught, "budget": {"steps": 20, "samples": 2560},
        "digests": {"test": "1", "teacher": "2"},
    }  # fmt: skip
    run.write_json("result.json", result)
    return run


def with_embedding(run: RunFolder, *, teacher: bool = True) -> RunFolder:
    """Write an embedding of 60 rows."""
    draw = np.random.default_rng(0)

    def network(probe: float) -> dict[str, Any]:
        of_class = [{"rows": 20, "probe": probe, "majority": 0.5, "undefined": None}] * 3
        chance = {"chance": 0.5, "chance_low": 0.4, "chance_high": 0.6, "p_value": 0.002}
        leakage = {
            "rows": 60,
            "probe": probe,
            "majority": 0.5,
            "by_class": of_class,
            "balanced": {"value": probe, **chance},
        }
        leakage["auc"] = {"value": 0.875, **chance}
        return {"coordinates": draw.standard_normal((60, 3)).round(4), "kl_divergence": 1.0, "leakage": leakage}

    rows = np.arange(60)
    content = {
        "tap": "embedding", "n": 60, "rows": {"labels": rows % 3, "groups": rows // 3 % 2},
        "student": network(0.6), "teacher": network(0.9) if teacher else None,
    }  # fmt: skip
    run.write_json("embedding.json", content)
    return run
