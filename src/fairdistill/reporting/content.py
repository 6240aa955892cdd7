"""What a report says, read from run folders: numbers with their intervals, and the data of its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from fairdistill.auditing.audit import described, sizing, worst
from fairdistill.comparing import CompareResult, CompareRow, compare
from fairdistill.metrics.paired import Paired, paired_test
from fairdistill.metrics.resampling import Resampled
from fairdistill.predictions import Predictions
from fairdistill.predictions.predictions import paired, run_predictions
from fairdistill.reporting.words import in_words
from fairdistill.runs import RunFolder

_PICTURES = 6  # rows whose t-SNE the page holds
_SETTINGS = ("confidence", "draws", "seed")


@dataclass(frozen=True, kw_only=True)
class ReportRow:
    """One recipe.

    Attributes:
        label: its name.
        runs: its run folders, one a seed.
        seeds: the seeds.
        steps: optimizer steps.
        samples: images seen.
        accuracy, worst_group, worst_cell, deo_a, deo_m: with intervals; fractions.
        change: against its teacher, see :func:`fairdistill.auditing.audit.described`; None without one.
        groups: each group's rows and accuracy.
        cells: accuracy ``[G][C]``, None where there is no row.
        collapsed: seeds that predict one class alone.
        draws: test sets that were drawn.
    """

    label: str
    runs: tuple[str, ...]
    seeds: tuple[int, ...]
    steps: int
    samples: int
    accuracy: Mapping[str, Any]
    worst_group: Mapping[str, Any]
    worst_cell: Mapping[str, Any]
    deo_a: Mapping[str, Any]
    deo_m: Mapping[str, Any]
    change: Mapping[str, Any] | None
    groups: Sequence[Mapping[str, Any]]
    cells: Sequence[Sequence[float]]
    collapsed: tuple[int, ...]
    draws: int


@dataclass(frozen=True, kw_only=True)
class Content:
    """All that the page and the card show.

    Attributes:
        title: of the page.
        comparison: data, protocol, versions.
        rows: one a recipe.
        words: what the numbers mean.
        data: the test set: rows, pictures, cells, notes.
        sizing: what gap it can show.
        leakage: what each row's features tell of the group.
        pictures_left_out: rows that have a t-SNE picture which the page has no room for.
        configurations: each run folder's configuration, as YAML.
        settings: confidence, draws and seed of the intervals.
        intended_use: a user's words, or None.
        figures: the data of the figures.
    """

    title: str
    comparison: CompareResult
    rows: tuple[ReportRow, ...]
    words: Sequence[str]
    data: Mapping[str, Any]
    sizing: Mapping[str, Any]
    leakage: Sequence[Mapping[str, Any]]
    pictures_left_out: Sequence[str]
    configurations: Sequence[tuple[str, str]]
    settings: Mapping[str, Any]
    intended_use: str | None
    figures: Mapping[str, Any]


def gather(
    paths: Sequence[str | Path],
    *,
    title: str | None,
    intended_use: str | None,
    confidence: float,
    draws: int,
    seed: int,
) -> Content:
    """Read finished runs and work out what a report says of them.

    Raises:
        RunFolderError: if a folder holds no finished run.
        UsageError: if the runs were tested on different data.
        DataError: if their predictions were changed.
    """
    comparison = compare(paths)
    settings = dict(zip(_SETTINGS, (confidence, draws, seed), strict=True))
    first = run_predictions(RunFolder.open(comparison.rows[0].paths[0]))
    rows = tuple(_row(row, first, settings) for row in comparison.rows)
    runs = [RunFolder.open(path) for row in comparison.rows for path in row.paths]
    embedded = [(row.label, found) for row in comparison.rows if (found := _embedding(row)) is not None]
    return Content(
        title=title or comparison.data,
        comparison=comparison,
        rows=rows,
        words=in_words(rows),
        data=_data(first, [run.result for run in runs]),
        sizing=sizing(first.counts, rows[0].accuracy["value"], confidence),
        leakage=[_leakage(label, found) for label, found in embedded],
        pictures_left_out=[label for label, _ in embedded[_PICTURES:]],
        configurations=[
            (str(run.path), yaml.safe_dump(dict(run.config), sort_keys=False, allow_unicode=True)) for run in runs
        ],
        settings={**settings, "draws": min(row.draws for row in rows)},
        intended_use=intended_use,
        figures=_figures(comparison, rows, first, embedded[:_PICTURES]),
    )


def _row(row: CompareRow, first: Predictions, settings: Mapping[str, Any]) -> ReportRow:
    runs = [RunFolder.open(path) for path in row.paths]
    own = [paired(first, run_predictions(run))[1] for run in runs]
    given = {**first.sample, **settings}
    correct = np.stack([each.correct for each in own])
    sample = Resampled(correct, **given)
    change = None
    if all((run.path / "teacher_predictions.csv").exists() for run in runs):
        taught = [paired(first, run_predictions(run, "teacher_predictions.csv"))[1].correct for run in runs]
        found = paired_test(np.stack(taught), correct, **given)
        change = described(found, first.class_names, first.group_names)
        if len(runs) > 1:
            _judge_seeds(change, [paired_test(one, other, **given) for one, other in zip(taught, correct, strict=True)])
    return ReportRow(
        label=row.label,
        runs=row.paths,
        seeds=row.seeds,
        steps=row.steps,
        samples=row.samples,
        accuracy=asdict(sample.accuracy()),
        **worst(sample, first.class_names, first.group_names),
        deo_a=asdict(sample.gap("mean")),
        deo_m=asdict(sample.gap("max")),
        change=change,
        groups=[
            {"group": name, "rows": int(sample.rows[at].sum()), "accuracy": asdict(sample.group_accuracy(at))}
            for at, name in enumerate(first.group_names)
        ],
        cells=sample.shares.mean(axis=0).tolist(),
        collapsed=row.collapsed,
        draws=sample.draws,
    )


def _judge_seeds(change: dict[str, Any], by_seed: Sequence[Paired]) -> None:
    """Call a cell harmed, or helped, if every seed shows it by itself: few seeds say little of what others would."""
    for at, cell in enumerate(change["cells"]):
        for what in ("harmed", "helped"):
            cell[what] = cell[what] or all(getattr(found.cells[at], what) for found in by_seed)


def _data(first: Predictions, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    unknown = results[0]["unknown_groups"]
    return {
        "rows": len(first),
        "sources": len(np.unique(first.sources)),
        "class_names": first.class_names,
        "group_names": first.group_names,
        "cells": first.counts.sum(axis=2).tolist(),
        "unknown_groups": unknown,
        "skipped_images": max(result["skipped_images"] for result in results),
        "notes": list(dict.fromkeys(note for result in results for note in result["notes"])),
    }


def _embedding(row: CompareRow) -> dict[str, Any] | None:
    """Return the first of a row's embeddings."""
    found = (RunFolder.open(path).embedding for path in row.paths)
    return next((each for each in found if each is not None), None)


def _leakage(label: str, embedding: Mapping[str, Any]) -> dict[str, Any]:
    networks = {who: embedding[who]["leakage"] for who in ("student", "teacher") if embedding[who] is not None}
    return {"label": label, "tap": embedding["tap"], "n": networks["student"]["rows"], **networks}


def _figures(
    comparison: CompareResult,
    rows: Sequence[ReportRow],
    first: Predictions,
    embedded: Sequence[tuple[str, Mapping[str, Any]]],
) -> dict[str, Any]:
    return {
        "class_names": first.class_names,
        "group_names": first.group_names,
        "rows": [
            {
                "label": row.label,
                "accuracy": row.accuracy,
                "deo_a": row.deo_a,
                "cells": row.cells,
                "change": None if row.change is None else _grid(row.change, first),
                "harmed": None if row.change is None else _grid(row.change, first, "harmed"),
                "curves": [_curve(RunFolder.open(path)) for path in row.runs],
            }
            for row in rows
        ],
        "evaluated_on": "test set (paper protocol)" if comparison.protocol == "paper" else "validation set",
        "pictures": [_picture(label, found) for label, found in embedded],
    }


def _grid(change: Mapping[str, Any], first: Predictions, key: str = "value") -> list[list[Any]]:
    """Return what a change says of each cell, ``[G][C]``; None where there is no row."""
    grid: list[list[Any]] = [[None] * len(first.class_names) for _ in first.group_names]
    for cell in change["cells"]:
        grid[first.group_names.index(cell["group"])][first.class_names.index(cell["class"])] = cell[key]
    return grid


def _curve(run: RunFolder) -> dict[str, Any]:
    log = run.read_log()
    return {
        "seed": run.config["seed"],
        "step": [row["step"] for row in log],
        "accuracy": [row["evaluation"]["accuracy"] for row in log],
        "deo_a": [row["evaluation"]["deo_a"] for row in log],
    }


def _picture(label: str, embedding: Mapping[str, Any]) -> dict[str, Any]:
    rows = embedding["rows"]
    return {
        "label": label,
        "n": embedding["n"],
        "tap": embedding["tap"],
        "labels": rows["labels"],
        "groups": rows["groups"],
        "student": _scaled(embedding["student"]["coordinates"]),
        "teacher": None if embedding["teacher"] is None else _scaled(embedding["teacher"]["coordinates"]),
    }


def _scaled(coordinates: Sequence[Sequence[float]]) -> list[list[float]]:
    """Return one list a dimension, scaled into [-1, 1] with three digits: t-SNE's own scale means nothing."""
    points = np.array(coordinates, float)
    points = points - points.mean(axis=0)
    largest = float(np.abs(points).max(initial=0.0)) or 1.0
    return np.round(points.T / largest, 3).tolist()  # type: ignore[no-any-return]  # NumPy types tolist as Any
