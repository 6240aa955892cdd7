"""Whether rows with the same id say different things of one sample."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairdistill.tables.columns import Columns


def conflict_notes(table: Columns, column: str, labels: NDArray[np.int64], groups: NDArray[np.int64]) -> list[str]:
    """Return a note if rows with the same id have different labels, and one if they are in different groups.

    Args:
        table: its columns.
        column: the ids; rows without one, or with an unknown one, are different samples.
        labels: int64 ``[N]``.
        groups: int64 ``[N]``, -1 where unknown, which differs from no group.
    """
    ids, values = table.distinct(column)
    repeated = np.flatnonzero(np.bincount(ids[ids >= 0], minlength=len(values)) > 1)
    texts = {at: str(values[at]).strip() for at in repeated.tolist()}
    named = [at for at, text in texts.items() if text and text not in table.unknown]
    known = np.isin(ids, named)
    notes = []
    for codes, what in ((labels, "have different labels"), (groups, "are in different groups")):
        rows = known & (codes >= 0)
        number = int(codes.max(initial=0)) + 1
        of_pairs = np.unique(ids[rows] * number + codes[rows]) // number  # the id of each pair of an id and a code
        odd = np.flatnonzero(np.bincount(of_pairs) > 1).tolist()
        if odd:
            ids_of = "1 value" if len(odd) == 1 else f"{len(odd):,} values"
            notes.append(
                f"For {ids_of} of column {column!r}, for example {texts[odd[0]]!r}, rows {what} although they count as "
                "one sample; correct them, or name a column that tells samples apart with --id"
            )
    return notes
