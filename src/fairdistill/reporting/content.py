"""The content of a report, read from run folders."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from fairdistill.auditing import sizing
from fairdistill.comparing import CompareRow, compare, is_row_file
from fairdistill.errors import UsageError
from fairdistill.predictions import Predictions, run_predictions
from fairdistill.reporting.figures import Curve, FigureRow, Figures, Picture
from fairdistill.reporting.options import ReportOptions
from fairdistill.reporting.result import Configuration, Leakage, Probe, ReportContent, ReportRow, TestSet
from fairdistill.reporting.rows import report_row
from fairdistill.reporting.teachers import Teachers
from fairdistill.runs import RunFolder
from fairdistill.text.progress import progress

_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # the fast one, if PyYAML was built with it
_PICTURES = 6  # methods whose t-SNE the page has room for


def gather(sources: Sequence[str | Path], options: ReportOptions) -> ReportContent:
    """Read finished runs and compute what a report says about them.

    Raises:
        RunFolderError: if a folder holds no finished run.
        UsageError: if the runs were tested on different data, or a source is a row file.
        DataError: if their predictions were changed.
    """
    for source in sources:
        if is_row_file(source):
            raise UsageError(
                f"{source} holds rows, and a report reads the predictions in run folders; give the folders, or see the "
                f"rows with: fairdistill compare {source}"
            )
    comparison = compare(sources)
    first = run_predictions(RunFolder.open(comparison.rows[0].paths[0]))
    rows, teachers = [], Teachers(first)
    with progress("reading runs", len(comparison.rows)) as report:
        for row in comparison.rows:
            rows.append(report_row(row, first, teachers, options.of(first).drawing))
            report(1)
    runs = [RunFolder.open(path) for row in comparison.rows for path in row.paths]
    embedded = [(row.label, found) for row in comparison.rows if (found := _embedding(row)) is not None]
    return ReportContent(
        title=options.title or comparison.data,
        data=comparison.data,
        protocol=comparison.protocol,
        made_with=comparison.made_with,
        confidence=options.confidence,
        draws=min(row.draws for row in rows),
        seed=options.seed,
        rows=tuple(rows),
        test_set=_test_set(first, [run.result for run in runs]),
        sizing=sizing(first.counts.sum(axis=2), rows[0].accuracy.value, options.confidence, first.group_names),
        leakage=tuple(_leakage(label, found) for label, found in embedded),
        without_picture=tuple(label for label, _ in embedded[_PICTURES:]),
        configurations=tuple(
            Configuration(
                run=str(run.path),
                yaml=yaml.dump(_from_here(run.config), Dumper=_DUMPER, sort_keys=False, allow_unicode=True),
            )
            for run in runs
        ),
        intended_use=options.intended_use,
        figures=Figures(
            class_names=first.class_names,
            group_names=first.group_names,
            rows=tuple(_figure_row(row, first) for row in rows),
            evaluated_on="test set (paper protocol)" if comparison.protocol == "paper" else "validation set",
            pictures=tuple(Picture.of(label, found) for label, found in embedded[:_PICTURES]),
        ),
    )


def _from_here(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration with paths below the current folder relative to it, as one would type them."""
    here = f"{Path.cwd()}{os.sep}"
    return {name: value.removeprefix(here) if isinstance(value, str) else value for name, value in config.items()}


def _test_set(first: Predictions, results: Sequence[Mapping[str, Any]]) -> TestSet:
    return TestSet(
        rows=len(first),
        sources=first.num_sources,
        class_names=first.class_names,
        group_names=first.group_names,
        cells=tuple(map(tuple, first.counts.sum(axis=2).tolist())),
        unknown_groups=results[0]["unknown_groups"],
        skipped_images=max(result["skipped_images"] for result in results),
        notes=tuple(dict.fromkeys(note for result in results for note in result["notes"])),
    )


def _embedding(row: CompareRow) -> Mapping[str, Any] | None:
    """Return the first embedding among a row's runs."""
    found = (RunFolder.open(path).embedding for path in row.paths)
    return next((each for each in found if each is not None), None)


def _leakage(label: str, embedding: Mapping[str, Any]) -> Leakage:
    student, teacher = embedding["student"]["leakage"], embedding["teacher"]
    return Leakage(
        label=label,
        tap=embedding["tap"],
        rows=student["rows"],
        student=_probe(student),
        teacher=None if teacher is None else _probe(teacher["leakage"]),
    )


def _probe(leakage: Mapping[str, Any]) -> Probe:
    def value(name: str) -> float | None:  # which an embedding of an older version does not have
        return leakage[name]["value"] if name in leakage else None

    return Probe(majority=leakage["majority"], probe=leakage["probe"], balanced=value("balanced"), auc=value("auc"))


def _figure_row(row: ReportRow, first: Predictions) -> FigureRow:
    changes = None if row.change is None else {(cell.group, cell.class_name): cell for cell in row.change.cells}
    grid = [[(group, name) for name in first.class_names] for group in first.group_names]
    change = harmed = None
    if changes is not None:
        found = [[changes.get(at) for at in line] for line in grid]
        change = tuple(tuple(None if cell is None else cell.value for cell in line) for line in found)
        harmed = tuple(tuple(None if cell is None else cell.harmed for cell in line) for line in found)
    return FigureRow(
        label=row.label,
        accuracy=row.accuracy,
        deo_a=row.deo_a,
        cells=row.cells,
        change=change,
        harmed=harmed,
        curves=tuple(Curve.of(RunFolder.open(path)) for path in row.runs),
    )
