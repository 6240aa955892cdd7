"""Images that are not independent: equal files, and several images of one person or picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairdistill.data.rows import NO_SPLIT, SPLITS, Rows
from fairdistill.tables.distinct import distinct
from fairdistill.tables.sources import alone, linked


def source_ids(pictures: NDArray[np.object_], sources: NDArray[np.object_] | None) -> NDArray[np.object_]:
    """Return a name for each row that those have in common which share a picture or a source, also through others.

    Args:
        pictures: a hash of each file's bytes, object ``[N]``.
        sources: the source of each row, an empty text where unknown; None if not given.

    Returns:
        The first source among the rows that belong together, or the hash if none of them has one, object ``[N]``.

    Example:
        >>> source_ids(np.array(["aa", "bb", "bb", "cc"], object), np.array(["ann", "ann", "", ""], object)).tolist()
        ['ann', 'ann', 'ann', 'cc']
    """
    if sources is None:
        return pictures
    given = sources != ""
    parts = linked(alone(distinct(sources)[0], ~given), distinct(pictures)[0])
    # Rows with a source come first, so that the first row of a part has one if any row has.
    order = np.argsort(~given, kind="stable")
    _, first = np.unique(parts[order], return_index=True)
    return np.where(given, sources, pictures)[order[first]][parts]


def shared_sources(rows: Rows) -> tuple[str, ...]:
    """Return a note if the given splits separate rows of one source."""
    if rows.sources is None or (rows.splits == NO_SPLIT).all():
        return ()
    of_row, names = distinct(rows.sources)
    known = names != ""
    pairs = np.unique(of_row * len(SPLITS) + rows.splits)  # of a source and a split
    apart = np.flatnonzero(known & (np.bincount(pairs // len(SPLITS), minlength=len(names)) > 1))
    if not len(apart):
        return ()
    *others, last = (SPLITS[at] for at in np.unique(rows.splits[of_row == apart[0]]).tolist())
    where = f"{', '.join(others)} and {last}"
    return (
        f"{len(apart):,} of {int(known.sum()):,} sources are in more than one split (for example {names[apart[0]]!r} "
        f"in {where}), so these splits are not independent",
    )


def repeated_pictures(rows: Rows, pictures: NDArray[np.object_]) -> tuple[str, ...]:
    """Return notes on files that are equal byte for byte: how many, and how many differ in split, class or group."""
    inverse, names = distinct(pictures)
    first = np.full(len(names), len(pictures))
    np.minimum.at(first, inverse, np.arange(len(pictures)))
    repeats = len(pictures) - len(first)
    if not repeats:
        return ()
    notes = [f"{_have(repeats)} the same image as another row, byte for byte"]
    first_split, first_label, first_group = (
        values[first][inverse] for values in (rows.splits, rows.labels, rows.groups)
    )
    for differs, text in (
        (rows.splits != first_split, "a row of another split"),
        (rows.labels != first_label, "an earlier row but another class"),
        (rows.groups != first_group, "an earlier row but another group"),
    ):
        at = np.flatnonzero(differs)
        if len(at):
            example = f"{rows.names[at[0]]} and {rows.names[first[inverse[at[0]]]]}"
            notes.append(f"{_have(len(at))} the same image as {text} (for example {example})")
    return tuple(notes)


def _have(rows: int) -> str:
    return f"{rows:,} {'row has' if rows == 1 else 'rows have'}"
