"""Comparing finished runs; reads only run folders."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fairdistill.comparing.gathering import gathered, is_row_file, read_rows
from fairdistill.comparing.options import CompareOptions
from fairdistill.comparing.recipes import FinishedRun, Recipe, by_recipe
from fairdistill.comparing.result import CompareResult, CompareRow, OverSeeds
from fairdistill.contract import Location, listed_paths, with_keywords
from fairdistill.errors import UsageError


def compare(
    sources: Location | Sequence[Location], *, options: CompareOptions | None = None, **keywords: Any
) -> CompareResult:
    """Compare finished runs on their test set; runs that differ only in their seeds share a row.

    Args:
        sources: run folders and row files (what ``compare --format json`` printed, ``.json``, or ``-`` for standard
            input), or a single one. Rows of several files with the same recipe become one.
        options: how the command line prints the result; the result itself does not depend on it.
        **keywords: options by name.

    Raises:
        RunFolderError: if a folder holds no finished run.
        DataError: if a row file cannot be read.
        UsageError: if the runs were tested on different data, or a run is given twice, or none.

    Example:
        >>> result = compare(["runs/teacher", "runs/mfd"])  # doctest: +SKIP
        >>> result.rows[0].accuracy.mean  # doctest: +SKIP
        0.942
    """
    with_keywords(CompareOptions, options, keywords)
    given = listed_paths("run folders", sources)
    folders = [source for source in given if not is_row_file(source)]
    found = [_compared(_read(folders))] if folders else []
    return gathered([*found, *(read_rows(source) for source in given if is_row_file(source))])


def _compared(runs: Sequence[FinishedRun]) -> CompareResult:
    _check_same_data(runs)
    recipes = by_recipe(runs)
    _refuse_repeats(recipes)
    in_rows = [run for members in recipes.values() for run in members]
    return CompareResult(
        data=runs[0].data,
        protocol=" and ".join(dict.fromkeys(run.config["protocol"] for run in in_rows)),
        made_with=tuple(dict.fromkeys(_made_with(run.folder.environment) for run in in_rows)),
        largest_class=_largest_class(runs[0].result.get("counts")),
        tested_on=runs[0].result.get("digests", {}).get("test") or "",
        rows=tuple(map(_row, recipes.values())),
    )


def _read(sources: Sequence[str | Path]) -> list[FinishedRun]:
    runs: dict[Path, FinishedRun] = {}
    for source in sources:
        place = Path(source).resolve()
        if place in runs:
            raise UsageError(f"{source} is given twice")
        runs[place] = FinishedRun.read(source)
    return list(runs.values())


def _check_same_data(runs: Sequence[FinishedRun]) -> None:
    for run in runs[1:]:
        first = runs[0]
        if run.tested_on != first.tested_on:
            if run.data == first.data:
                apart = f"{first.given} and {run.given} both use {run.data}, but their test samples or labels differ"
            else:
                apart = f"{first.given} uses {first.data}, {run.given} uses {run.data}"
            raise UsageError(f"cannot compare runs on different data: {apart}")


def _refuse_repeats(recipes: Mapping[Recipe, Sequence[FinishedRun]]) -> None:
    """Refuse two runs of one recipe with the same seeds: counting both would shrink the spread."""
    for members in recipes.values():
        first: dict[str, FinishedRun] = {}
        for run in members:
            other = first.setdefault(repr(run.seeds), run)  # somebody may have edited a seed into a list
            if other is not run:
                raise UsageError(
                    f"{other.folder.path} and {run.folder.path} have the same settings and seeds; keep only one of them"
                )


def _row(members: Sequence[FinishedRun]) -> CompareRow:
    runs = sorted(members, key=lambda run: run.seed)
    budget = runs[0].result["budget"]
    return CompareRow(
        method=runs[0].config["method"],
        differs={},
        seeds=tuple(run.seed for run in runs),
        accuracy=_over_seeds(runs, "accuracy"),
        deo_a=_over_seeds(runs, "deo_a"),
        deo_m=_over_seeds(runs, "deo_m"),
        steps=budget["steps"],
        samples=budget["samples"],
        collapsed=tuple(run.seed for run in runs if run.result["collapsed"]),
        paths=tuple(str(run.folder.path) for run in runs),
        code=runs[0].code,
        collapsed_attributes=_collapsed_attributes(runs),
        recipe=runs[0].recipe,
        teacher_settings=next((run.teacher_settings for run in runs if run.teacher_settings), {}),
    )


def _collapsed_attributes(runs: Sequence[FinishedRun]) -> dict[str, tuple[int, ...]]:
    """Return the attributes for which runs predict a single answer, and their seeds; not of runs that do for all."""
    found: dict[str, tuple[int, ...]] = {}
    for run in runs:
        for name, of_attribute in run.result.get("attributes", {}).items():
            if of_attribute.get("collapsed") and not run.result["collapsed"]:
                found[name] = (*found.get(name, ()), run.seed)
    return found


def _over_seeds(runs: Sequence[FinishedRun], metric: str) -> OverSeeds:
    return OverSeeds(tuple(math.nan if run.result[metric] is None else run.result[metric] for run in runs))


def _largest_class(counts: Sequence[Sequence[Sequence[int]]] | None) -> float:
    """Return the share of the largest class among samples ``[G][C][C]`` (group, true, predicted); NaN if unknown."""
    if not counts:
        return math.nan
    by_class = [sum(sum(group[label]) for group in counts) for label in range(len(counts[0]))]
    return max(by_class) / max(1, sum(by_class))


def _made_with(environment: Mapping[str, Any]) -> str:
    commit = environment["commit"]
    version = environment["fairdistill"] + (f" ({commit[:9]}{'+' if commit.endswith('+') else ''})" if commit else "")
    return (
        f"fairdistill {version}, torch {environment['packages']['torch']}, {environment['processor']}, "
        f"{environment['device']}"
    )
