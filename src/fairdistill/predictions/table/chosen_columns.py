"""Which columns of a table of predictions are read, and as what."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from fairdistill.errors import DataError
from fairdistill.predictions.table.class_columns import Scores
from fairdistill.predictions.table.matching import class_of_column, columns_by_name
from fairdistill.predictions.table.options import TableColumns
from fairdistill.tables.bins import check_bins
from fairdistill.tables.columns import Columns, names_in
from fairdistill.tables.reading import check_column, check_used_once, is_json_lines, is_parquet, read_columns, several
from fairdistill.tables.sources import id_column, source_column
from fairdistill.text.lists import listed

_SHOWN, _NAMED = 30, 5  # columns
_PREFIX = "p_"  # of columns that are recognized as probabilities
_PICTURES = ("image", "img")  # columns that may hold more than the names of files


@dataclass(frozen=True, kw_only=True)
class ChosenColumns:
    """Which columns of a table are read, and as what: named by the options, or recognized by their names.

    Attributes:
        options: with the columns that were recognized.
        groups: groups.
        scores: probabilities, or scores.
        notes: on columns that look like predictions and are not read, one sentence each.
    """

    options: TableColumns
    groups: list[str]
    scores: Scores
    notes: tuple[str, ...]

    @classmethod
    def of(cls, path: Path, names: list[str], options: TableColumns, *, recognize: bool) -> ChosenColumns:
        """Choose among the columns of a table.

        Args:
            path: the table.
            names: its columns.
            options: what they mean.
            recognize: whether columns of probabilities that the options do not name are looked for.

        Raises:
            DataError: if the table lacks a column, or has no predictions.
            UsageError: if one is used twice.
        """
        found, unused = _resolved(path, options, names, recognize)
        groups = several(found.group, names)
        others = {found.label, *groups, found.pred, found.id, found.source}
        scores = _scores(found, names, [name for name in names if name not in others])
        used = {found.label, *groups, found.pred, found.source, *scores.columns}
        found = replace(found, id=_ids(path, names, used) if found.id is None else found.id)
        for option, column in [
            ("label", found.label), *(("group", name) for name in groups), ("pred", found.pred),
            *(("prob" if found.score is None else "score", name) for name in scores.columns),
            ("id", found.id), ("source", found.source),
        ]:  # fmt: skip
            if column is not None:
                check_column(path, names, option, column)
        _check_different(found, groups, scores)
        if found.pred is None and not scores.columns:
            alike = [name for name in names if "pred" in name.casefold()]
            example = f", for example --pred {shlex.quote(alike[0])}" if alike else ""
            shown = listed([*filter(None, names)], _SHOWN)
            raise DataError(
                f"{path} has no column 'pred' and none starting with 'p_'; its columns are {shown}. Name the "
                f"predictions with --pred, --prob or --score{example}"
            )
        check_bins(found.bin, groups, "group columns")
        return cls(options=found, groups=groups, scores=scores, notes=unused)

    @property
    def texts(self) -> list[str | None]:
        """All but the probabilities and scores; None for what the table does not have."""
        return [self.options.label, *self.groups, self.options.pred, self.options.id, self.options.source]


def _resolved(
    path: Path, options: TableColumns, names: list[str], recognize: bool
) -> tuple[TableColumns, tuple[str, ...]]:
    """Fill in the columns that are recognized by their names; also return a note on one that only looks like it."""
    free = options.score is None
    pred = "pred" if options.pred is None and free and "pred" in names else options.pred
    prob = options.prob
    notes: tuple[str, ...] = ()
    if recognize and prob is None and free:
        used = {options.label, *several(options.group, names), pred, options.id, options.source}
        offered = [name for name in names if name.startswith(_PREFIX) and name not in used]
        notes = _unrelated(path, options, names, offered) if pred is not None else ()
        prob = _PREFIX if offered and not notes else None
    source = source_column(names) if options.source is None else options.source
    return replace(options, pred=pred, prob=prob, source=source), notes


def _ids(path: Path, names: list[str], used: set[str | None]) -> str | None:
    """Return the column that is named as one of ids, unless it means something else."""
    if is_parquet(path) or is_json_lines(path):
        used = used | {name for name in names if name.casefold() in _PICTURES}
    return id_column(names, used)


def _unrelated(path: Path, options: TableColumns, names: list[str], offered: list[str]) -> tuple[str, ...]:
    """Return a note if none of the columns that could hold probabilities is named after a class, such as ``p_id``."""
    several_listed = options.classes is not None and len(offered) > 1  # these are in the order of --classes
    if not offered or several_listed or options.label not in names:
        return ()
    labels = Columns(path, read_columns(path, [options.label], options.encoding), {})
    _, classes = labels.codes(options.label, "label", unknown=True)
    classes = names_in(options.classes) if options.classes else classes
    if any(class_of_column(name, classes, prefix=_PREFIX) is not None for name in offered):
        return ()
    if len(offered) > 1:
        if columns_by_name(offered, classes, prefix=_PREFIX) is not None:
            return ()
        return (
            f"The columns {listed([*map(repr, offered)], _NAMED)} are not named after classes, so they were not read; "
            f"if they hold probabilities, add --prob {_PREFIX} and, with --classes, the classes in their order",
        )
    text = f"The column {offered[0]!r} is not named after a class, so it was not read"
    return (f"{text}; if it holds probabilities, name it with --score" if len(classes) == 2 else text,)


def _scores(options: TableColumns, names: list[str], free: list[str]) -> Scores:
    """Return the columns of scores: those that are named, or those with a prefix among the ones that are free."""
    if options.score is not None:
        return Scores(columns=(options.score,), single=True)
    if options.prob is None:
        return Scores()
    columns = tuple(name for name in free if options.prob and name.startswith(options.prob))
    if "," in options.prob or options.prob in names or not columns:
        return Scores(columns=tuple(several(options.prob, names)))
    return Scores(
        columns=columns, prefix=options.prob if all(len(name) > len(options.prob) for name in columns) else ""
    )


def _check_different(options: TableColumns, groups: list[str], scores: Scores) -> None:
    """Raise a UsageError if a column is named for two things of which each needs one of its own."""
    outputs = [options.pred, *scores.columns]
    uses: list[tuple[list[str | None], str]] = [
        ([options.label, *groups], "--label and --group"),
        (outputs, "--prob"),
        ([options.label, *outputs], "--label and the predictions"),
        ([*groups, *outputs], "--group and the predictions"),
        ([options.label, *outputs, options.id], "--id and the classes"),
        ([options.label, *outputs, options.source], "--source and the classes"),
    ]
    for given, what in uses:
        check_used_once(given, what)
