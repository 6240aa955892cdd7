"""Whether validation samples are test samples too."""

from __future__ import annotations

import numpy as np

from fairdistill.predictions.predictions import Predictions


def overlap_note(test: Predictions, validation: Predictions) -> str | None:
    """Return a note if validation samples are test samples, as ids and outputs that are the same in both show.

    Ids alone do not show it: they may be numbers that begin anew in each table. Without ids, only predictions that are
    the same row by row are recognized.
    """
    import pandas as pd

    if test.probabilities is None or validation.probabilities is None:
        return None
    if test.ids is None or validation.ids is None:
        at = np.arange(len(test)) if len(test) == len(validation) else np.full(len(test), -1)
    else:
        unique = pd.Series(np.arange(len(validation)), index=validation.ids).groupby(level=0).first()
        at = np.where(test.ids == "", -1, unique.reindex(test.ids).fillna(-1).to_numpy(np.int64))
    rows = np.flatnonzero(at >= 0)
    same = test.labels[rows] == validation.labels[at[rows]]
    if not len(rows) or not same.all():
        return None
    if not np.allclose(test.probabilities[rows], validation.probabilities[at[rows]], rtol=0, atol=1e-6):
        return None
    return (
        f"{len(rows):,} of the {len(test):,} test samples are in {validation.where} too, on which the corrections were "
        "fitted, so these look better than they are; a validation set needs other samples"
    )
