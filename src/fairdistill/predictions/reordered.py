"""Predictions with their classes or groups in another order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fairdistill.predictions.predictions import Predictions
from fairdistill.tables.meaning import plain


def in_class_order(predictions: Predictions, names: Sequence[str]) -> Predictions:
    """Return predictions with the same classes in the order of ``names``; as they are if the classes differ.

    Two tables of one test set may have their probability columns in different orders.
    """
    if predictions.class_names == tuple(names) or set(predictions.class_names) != set(names):
        return predictions
    place = np.array([names.index(name) for name in predictions.class_names], np.int64)
    order = np.argsort(place)
    columns, probabilities = predictions.probability_columns, predictions.probabilities
    return replace(
        predictions,
        labels=place[predictions.labels],
        predicted=place[predictions.predicted],
        probabilities=None if probabilities is None else probabilities[:, order],
        class_names=tuple(names),
        probability_columns=(
            tuple(columns[at] for at in order.tolist()) if columns and len(columns) == len(order) else columns
        ),
    )


def in_group_order(predictions: Predictions, names: Sequence[str]) -> Predictions:
    """Return predictions with the groups ``names``; as they are if they have another group.

    A table has its groups in the order of their names, and only those that occur. Whole numbers may have decimals in
    one of two tables: an empty field turns 1 into 1.0 in many programs.
    """
    own, wanted = plain(predictions.group_names), plain(names)
    distinct = len(set(own)) == len(own) and len(set(wanted)) == len(wanted)
    if predictions.group_names == tuple(names) or not distinct or not set(own) <= set(wanted):
        return predictions
    place = np.array([*(wanted.index(name) for name in own), -1], np.int64)  # -1 reads the last
    return replace(predictions, groups=place[predictions.groups], group_names=tuple(names))
