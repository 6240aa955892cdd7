"""Row files: comparisons that were written as JSON, read again and put together into one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any

from fairdistill import paper
from fairdistill.comparing.recipes import Recipe, by_recipe
from fairdistill.comparing.result import CompareResult, CompareRow, OverSeeds
from fairdistill.errors import DataError, RunFolderError, UsageError
from fairdistill.metrics import METRICS
from fairdistill.runs import read_json
from fairdistill.system.standard_input import copied_from_standard_input, is_standard_input


def is_row_file(source: str | Path) -> bool:
    """Return whether a source is a row file rather than a run folder.

    Example:
        >>> is_row_file("results/seed0.json"), is_row_file("-"), is_row_file("runs/mfd")
        (True, True, False)
    """
    return is_standard_input(source) or Path(source).suffix == ".json"


def read_rows(path: str | Path) -> CompareResult:
    """Read what ``compare --format json`` printed; ``-`` is standard input.

    Raises:
        DataError: if the file cannot be read or does not hold rows.
    """
    if is_standard_input(path):
        with copied_from_standard_input("rows", lambda _: ".json") as copy:
            return read_rows(copy)
    try:
        content = read_json(Path(path))
        return CompareResult(
            data=str(content["data"]),
            protocol=str(content["protocol"]),
            made_with=tuple(map(str, content["made_with"])),
            largest_class=_fraction(content.get("largest_class")),
            tested_on=str(content.get("tested_on", "")),
            rows=tuple(map(_row, content["rows"])),
        )
    except (RunFolderError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path} does not hold rows ({type(error).__name__}: {error}); write them with: fairdistill compare "
            "--format json RUN..."
        ) from error


def gathered(results: Sequence[CompareResult]) -> CompareResult:
    """Put comparisons on one test set together; rows with the same recipe become one, and say what sets them apart.

    A row of a file that does not tell its recipe joins the one that has the same label, budget and own code.

    Raises:
        UsageError: if they differ in data or protocol, or two rows share a seed.
    """
    first, *others = results
    for other in others:
        _check_same(first, other)
    rows = _joined([row for result in results for row in result.rows])
    known = [result.largest_class for result in results if not math.isnan(result.largest_class)]
    return CompareResult(
        data=first.data,
        protocol=first.protocol,
        made_with=tuple(dict.fromkeys(version for result in results for version in result.made_with)),
        largest_class=known[0] if known else math.nan,
        tested_on=next((result.tested_on for result in results if result.tested_on), ""),
        rows=_in_order(replace(row, differs={**row.differs, **_apart(row, rows)}) for row in rows),
    )


def _joined(rows: Sequence[CompareRow]) -> list[CompareRow]:
    """Return one row for each recipe, and for each label without one."""
    recipes = by_recipe(row for row in rows if row.recipe)
    found = [
        replace(reduce(_together, members), differs=recipe.differs(list(recipes)))
        for recipe, members in recipes.items()
    ]
    for row in (row for row in rows if not row.recipe):
        same = [at for at, other in enumerate(found) if _named(other) == _named(row)]
        if len(same) == 1:
            found[same[0]] = _together(found[same[0]], row)
        else:
            found.append(row)
    return found


def _named(row: CompareRow) -> tuple[object, ...]:
    """Return what is equal for rows of one recipe as far as a row without one tells."""
    return row.label, row.steps, row.samples, *sorted(row.code.items())


def _apart(row: CompareRow, rows: Iterable[CompareRow]) -> dict[str, Any]:
    """Return what sets a row apart from others with its label: their own code, or their steps."""
    others = [other for other in rows if other.label == row.label and other is not row]
    code = {file: digest for file, digest in row.code.items() if any(each.code.get(file) != digest for each in others)}
    steps = {"steps": row.steps} if any(each.code == row.code for each in others) else {}
    return {**code, **steps}


def _in_order(rows: Iterable[CompareRow]) -> tuple[CompareRow, ...]:
    """Return rows in the order of the paper's tables; other methods follow as they come."""
    place = {name: at for at, name in enumerate(paper.ROWS)}
    return tuple(sorted(rows, key=lambda row: place.get(row.method, len(place))))


def _check_same(first: CompareResult, other: CompareResult) -> None:
    for what, one, two in (("data", first.data, other.data), ("protocol", first.protocol, other.protocol)):
        if one != two:
            raise UsageError(f"cannot put rows together: {what} {one!r} in some, {two!r} in others")
    if first.tested_on and other.tested_on and first.tested_on != other.tested_on:
        raise UsageError(f"cannot put rows together: all use {first.data}, but their test samples or labels differ")


def _together(one: CompareRow, other: CompareRow) -> CompareRow:
    twice = sorted({*one.seeds} & {*other.seeds})
    if twice:
        raise UsageError(f"two rows of {one.label} hold seed {twice[0]}; keep only one of them")
    order = sorted(range(len(one.seeds) + len(other.seeds)), key=(one.seeds + other.seeds).__getitem__)

    def merged(first: tuple[Any, ...], second: tuple[Any, ...]) -> tuple[Any, ...]:
        both = first + second
        return tuple(both[at] for at in order)

    def values(name: str) -> OverSeeds:
        return OverSeeds(merged(one.metric(name).values, other.metric(name).values))

    return replace(
        one,
        seeds=merged(one.seeds, other.seeds),
        collapsed=tuple(sorted(one.collapsed + other.collapsed)),
        paths=merged(one.paths, other.paths),
        accuracy=values("accuracy"),
        deo_a=values("deo_a"),
        deo_m=values("deo_m"),
        recipe=one.recipe if other.recipe else Recipe(),
        teacher_settings=one.teacher_settings or other.teacher_settings,
        collapsed_attributes={
            name: tuple(sorted((*one.collapsed_attributes.get(name, ()), *other.collapsed_attributes.get(name, ()))))
            for name in (*one.collapsed_attributes, *other.collapsed_attributes)
        },
    )


def _row(content: Mapping[str, Any]) -> CompareRow:
    seeds = tuple(map(int, content["seeds"]))
    recipe = _recipe(content.get("recipe", {}))
    values = {name: OverSeeds(tuple(map(_fraction, content["values"][name]))) for name in METRICS}
    for name, metric in values.items():
        if len(metric.values) != len(seeds):
            raise ValueError(f"{content['method']} has {len(seeds)} seeds but {len(metric.values)} values of {name}")
    return CompareRow(
        method=str(recipe.content.get("method", content["method"])),  # without what set it apart where it was printed
        differs={},
        seeds=seeds,
        steps=int(content["steps"]),
        samples=int(content["samples"]),
        collapsed=tuple(map(int, content["collapsed_seeds"])),
        paths=tuple(map(str, content["runs"])),
        accuracy=values["accuracy"],
        deo_a=values["deo_a"],
        deo_m=values["deo_m"],
        code={str(file): str(digest) for file, digest in content.get("code", {}).items()},
        collapsed_attributes={
            str(name): tuple(map(int, of)) for name, of in content.get("collapsed_attributes", {}).items()
        },
        recipe=recipe,
        teacher_settings=dict(content.get("teacher_settings", {})),
    )


def _recipe(content: Mapping[str, Any]) -> Recipe:
    found = Recipe.of(content)
    if found and not {"method", "protocol"} <= found.settings.keys():
        raise KeyError("recipe without method or protocol")
    return found


def _fraction(value: float | None) -> float:
    return math.nan if value is None else float(value)
